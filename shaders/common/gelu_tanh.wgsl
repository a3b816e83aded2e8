// 0.5 v (1 + tanh(u)), u = sqrt(2 / pi) (v + 0.044715 v^3). Hendrycks & Gimpel 2016. As v * sigmoid(2u), since 1 + tanh(u) has
// no digits left where v is some way below zero. The exponent is held where f32 does not overflow.
fn activate(v: f32) -> f32 {
  return v / (1 + exp(min(-1.5957691216057308 * (v + 0.044715 * v * v * v), 80)));
}
