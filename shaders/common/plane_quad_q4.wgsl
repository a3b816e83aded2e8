// A piece of common/plane_dot_q4.wgsl of which four lanes load a quarter each: on SwiftShader a broadcast costs a quarter of a load.
fn loadSharedPiece(batchRow: u32, piece: u32, lane: u32) -> Piece {
  let start = (batchRow * (numColumns / pieceColumns) + piece) * 8u + lane % 4u * 2u;
  let isHigh = lane % 4u >= 2u;
  let unit = select(lowUnit, highUnit, isHigh);
  let x0 = x[start];
  let x1 = x[start + 1u];
  let all = x0 + x1;
  let u0 = x0 * unit;
  let u1 = x1 * unit;
  return Piece(
    quadBroadcast(u0, 0u), quadBroadcast(u1, 0u), quadBroadcast(u0, 1u), quadBroadcast(u1, 1u),
    quadBroadcast(u0, 2u), quadBroadcast(u1, 2u), quadBroadcast(u0, 3u), quadBroadcast(u1, 3u),
    8 * subgroupAdd(select(0f, all.w, isHigh)),
    subgroupAdd(all.x + all.y + all.z + all.w),
  );
}
