// Dot products with weights in q8 planes (layout: packages/runtime/src/backends/webgpu/device-planes.ts), 16 columns at a time.
//
// A byte is masked where it lies, so that it reads as byte * 2^shift, and the activation that meets it is multiplied by
// 2^-shift beforehand: both are exact, and no bits are shifted. The top byte of a word is signed as it is; the sign bits
// of the others are flipped, which makes them byte + 128 without a sign, and `offset` takes the 128 away.
// Put after common/scales_*.wgsl.
override numColumns: u32;
override groupSize: u32;
const pieceColumns = 16u;

@group(0) @binding(0) var<storage, read> quants: array<vec4i>;
@group(0) @binding(2) var<storage, read> x: array<vec4f>;

// 16 activations, four for each word.
struct Piece {
  x0: vec4f, x1: vec4f, x2: vec4f, x3: vec4f,
  offset: f32,
  sum: f32,
}

const byteMask = vec4i(0xff, 0xff00, 0xff0000, -0x1000000);
const signBits = vec4i(0x808080);
const unit = vec4f(1, 0x1p-8, 0x1p-16, 0x1p-24);

fn loadPiece(batchRow: u32, piece: u32) -> Piece {
  let start = (batchRow * (numColumns / pieceColumns) + piece) * 4u;
  let x0 = x[start];
  let x1 = x[start + 1u];
  let x2 = x[start + 2u];
  let x3 = x[start + 3u];
  let all = x0 + x1 + x2 + x3;
  let lower = all.x + all.y + all.z;
  return Piece(x0 * unit, x1 * unit, x2 * unit, x3 * unit, -128 * lower, lower + all.w);
}

fn dotPiece(row: u32, piece: u32, p: Piece) -> f32 {
  let q = quants[row * (numColumns / pieceColumns) + piece] ^ signBits;
  let sum = p.offset
    + dot(vec4f(vec4i(q.x) & byteMask), p.x0)
    + dot(vec4f(vec4i(q.y) & byteMask), p.x1)
    + dot(vec4f(vec4i(q.z) & byteMask), p.x2)
    + dot(vec4f(vec4i(q.w) & byteMask), p.x3);
  let scale = scaleAt(row, piece / (groupSize / pieceColumns), numColumns / groupSize);
  if (hasMin) { return scale.x * sum + scale.y * p.sum; }
  return scale.x * sum;
}
