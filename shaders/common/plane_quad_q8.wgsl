// A piece of common/plane_dot_q8.wgsl of which four lanes load a quarter each.
fn loadSharedPiece(batchRow: u32, piece: u32, lane: u32) -> Piece {
  let start = (batchRow * (numColumns / pieceColumns) + piece) * 8u + lane % 4u * 2u;
  let isSecond = lane % 4u >= 2u;
  let x0 = x[start];
  let x1 = x[start + 1u];
  let both = x0 + x1;
  let u0 = x0 * unit;
  let u1 = x1 * unit;
  let own = both.x + both.y + both.z;
  let lower = vec2f(subgroupAdd(select(own, 0f, isSecond)), subgroupAdd(select(0f, own, isSecond)));
  return Piece(
    quadBroadcast(u0, 0u), quadBroadcast(u1, 0u), quadBroadcast(u0, 1u), quadBroadcast(u1, 1u),
    quadBroadcast(u0, 2u), quadBroadcast(u1, 2u), quadBroadcast(u0, 3u), quadBroadcast(u1, 3u),
    -128 * lower,
    lower + vec2f(subgroupAdd(select(both.w, 0f, isSecond)), subgroupAdd(select(0f, both.w, isSecond))),
  );
}
