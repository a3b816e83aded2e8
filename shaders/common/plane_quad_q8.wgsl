// A piece of common/plane_dot_q8.wgsl of which four lanes load a quarter each.
fn loadSharedPiece(batchRow: u32, piece: u32, lane: u32) -> Piece {
  let all = x[(batchRow * (numColumns / pieceColumns) + piece) * 4u + lane % 4u];
  let scaled = all * unit;
  let lower = subgroupAdd(all.x + all.y + all.z);
  return Piece(
    quadBroadcast(scaled, 0u), quadBroadcast(scaled, 1u), quadBroadcast(scaled, 2u), quadBroadcast(scaled, 3u),
    -128 * lower,
    lower + subgroupAdd(all.w),
  );
}
