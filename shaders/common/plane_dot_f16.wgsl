// Dot products with f16 weights, two a word, eight columns at a time. Rows are a multiple of 8 wide.
override numColumns: u32;
const pieceColumns = 8u;

@group(0) @binding(0) var<storage, read> quants: array<vec4u>;
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
  let words = quants[row * (numColumns / pieceColumns) + piece];
  let w0 = vec4f(unpack2x16float(words.x), unpack2x16float(words.y));
  let w1 = vec4f(unpack2x16float(words.z), unpack2x16float(words.w));
  return dot(w0, p.x0) + dot(w1, p.x1);
}
