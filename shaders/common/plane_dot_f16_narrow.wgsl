// Dot products with f16 weights, one word of two columns at a time: for rows that are not a multiple of 8 wide.
override numColumns: u32;
const pieceColumns = 2u;

@group(0) @binding(0) var<storage, read> quants: array<u32>;
@group(0) @binding(1) var<storage, read> scales: array<f32>;
@group(0) @binding(2) var<storage, read> x: array<vec2f>;

alias Piece = vec2f;

fn loadPiece(batchRow: u32, piece: u32) -> Piece {
  return x[batchRow * (numColumns / pieceColumns) + piece];
}

fn dotPiece(row: u32, piece: u32, p: Piece) -> f32 {
  return dot(unpack2x16float(quants[row * (numColumns / pieceColumns) + piece]), p);
}
