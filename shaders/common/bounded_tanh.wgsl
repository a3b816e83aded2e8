// tanh(v), which is +-1 in f32 from 10 on. Some GPUs compute it from exp(2 v), which overflows where v is large.
fn boundedTanh(v: f32) -> f32 {
  return tanh(clamp(v, -10, 10));
}
