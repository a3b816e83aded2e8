// v * sigmoid(v). The exponent is held where f32 does not overflow; what is lost is below 1e-33.
fn silu(v: vec4f) -> vec4f {
  return v / (1 + exp(min(-v, vec4f(80))));
}
