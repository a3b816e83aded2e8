// Dot products with f32 weights, eight columns at a time. Rows are a multiple of 8 wide.
override numColumns: u32;
const pieceColumns = 8u;

@group(0) @binding(0) var<storage, read> quants: array<vec4f>;
@group(0) @binding(1) var<storage, read> scales: array<f32>;
@group(0) @binding(2) var<storage, read> x: array<vec4f>;

struct Piece {
  x0: vec4f,
  x1: vec4f,
}

fn loadPiece(batchRow: u32, piece: u32) -> Piece {
  let start = (batchRow * (numColumns / pieceColumns) + piece) * 2u;
  return Piece(x[start], x[start + 1u]);
}

fn dotPiece(row: u32, piece: u32, p: Piece) -> f32 {
  let start = (row * (numColumns / pieceColumns) + piece) * 2u;
  return dot(quants[start], p.x0) + dot(quants[start + 1u], p.x1);
}
