// Four columns of four tokens: each lane of a quad reads one of them for all. No lane of the quad may have returned.
fn loadTokens(start: u32, stride: u32, lane: u32) -> array<vec4f, 4> {
  let own = x[start + lane % 4u * stride];
  return array<vec4f, 4>(
    quadBroadcast(own, 0u),
    quadBroadcast(own, 1u),
    quadBroadcast(own, 2u),
    quadBroadcast(own, 3u),
  );
}
