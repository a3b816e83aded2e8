// softCap * tanh(v / softCap); v itself where softCap is 0. Put after common/bounded_tanh.wgsl.
override softCap: f32;

fn capped(v: f32) -> f32 {
  if (softCap > 0) { return softCap * boundedTanh(v / softCap); }
  return v;
}
