// 0.5 v (1 + tanh(sqrt(2 / pi) (v + 0.044715 v^3))). Hendrycks & Gimpel 2016. Put after common/bounded_tanh.wgsl.
fn activate(v: f32) -> f32 {
  return 0.5 * v * (1 + boundedTanh(0.7978845608028654 * (v + 0.044715 * v * v * v)));
}
