// Dot products with f32 weights, one column at a time: for rows that are not a multiple of 8 wide.
override numColumns: u32;
const pieceColumns = 1u;

@group(0) @binding(0) var<storage, read> quants: array<f32>;
@group(0) @binding(1) var<storage, read> scales: array<f32>;
@group(0) @binding(2) var<storage, read> x: array<f32>;

alias Piece = f32;

fn loadPiece(batchRow: u32, piece: u32) -> Piece {
  return x[batchRow * numColumns + piece];
}

fn dotPiece(row: u32, piece: u32, p: Piece) -> f32 {
  return quants[row * numColumns + piece] * p;
}
