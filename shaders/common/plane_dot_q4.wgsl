// Dot products with weights in q4 planes, 32 columns at a time. Put after common/nibble_piece.wgsl and common/scales_*.wgsl.
@group(0) @binding(0) var<storage, read> quants: array<vec4i>;

fn dotPiece(row: u32, piece: u32, p: Piece) -> f32 {
  let scale = scaleAt(row, piece, numColumns / 32u);
  return scale.x * dotNibbles(quants[row * (numColumns / 32u) + piece], p) + scale.y * p.sum;
}
