// Four columns of four tokens, of which a kernel that declares `x` reads every one in every lane.
fn loadTokens(start: u32, stride: u32, lane: u32) -> array<vec4f, 4> {
  return array<vec4f, 4>(x[start], x[start + stride], x[start + 2u * stride], x[start + 3u * stride]);
}
