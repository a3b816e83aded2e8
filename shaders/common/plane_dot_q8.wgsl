// Dot products with weights in q8 planes (layout: packages/runtime/src/backends/webgpu/device-planes.ts), 32 columns at a time.
//
// A byte is masked where it lies, so that it reads as byte * 2^shift, and the activation that meets it is multiplied by
// 2^-shift beforehand: both are exact, and no bits are shifted. The top byte of a word is signed as it is; the sign bits
// of the others are flipped, which makes them byte + 128 without a sign, and `offset` takes the 128 away.
// Put after common/scales_*.wgsl.
override numColumns: u32;
override groupSize: u32;
const pieceColumns = 32u;

@group(0) @binding(0) var<storage, read> quants: array<vec4i>;
@group(0) @binding(2) var<storage, read> x: array<vec4f>;

// 32 activations, four for each word; the offset and the sum of each half.
struct Piece {
  x0: vec4f, x1: vec4f, x2: vec4f, x3: vec4f,
  x4: vec4f, x5: vec4f, x6: vec4f, x7: vec4f,
  offset: vec2f,
  sum: vec2f,
}

const byteMask = vec4i(0xff, 0xff00, 0xff0000, -0x1000000);
const signBits = vec4i(0x808080);
const unit = vec4f(1, 0x1p-8, 0x1p-16, 0x1p-24);

fn loadPiece(batchRow: u32, piece: u32) -> Piece {
  let start = (batchRow * (numColumns / pieceColumns) + piece) * 8u;
  let x0 = x[start];
  let x1 = x[start + 1u];
  let x2 = x[start + 2u];
  let x3 = x[start + 3u];
  let x4 = x[start + 4u];
  let x5 = x[start + 5u];
  let x6 = x[start + 6u];
  let x7 = x[start + 7u];
  let first = x0 + x1 + x2 + x3;
  let second = x4 + x5 + x6 + x7;
  let lower = vec2f(first.x + first.y + first.z, second.x + second.y + second.z);
  return Piece(
    x0 * unit, x1 * unit, x2 * unit, x3 * unit, x4 * unit, x5 * unit, x6 * unit, x7 * unit,
    -128 * lower,
    lower + vec2f(first.w, second.w),
  );
}

fn dotPiece(row: u32, piece: u32, p: Piece) -> f32 {
  let start = (row * (numColumns / pieceColumns) + piece) * 2u;
  let a = quants[start] ^ signBits;
  let b = quants[start + 1u] ^ signBits;
  let first = p.offset.x
    + dot(vec4f(vec4i(a.x) & byteMask), p.x0) + dot(vec4f(vec4i(a.y) & byteMask), p.x1)
    + dot(vec4f(vec4i(a.z) & byteMask), p.x2) + dot(vec4f(vec4i(a.w) & byteMask), p.x3);
  let second = p.offset.y
    + dot(vec4f(vec4i(b.x) & byteMask), p.x4) + dot(vec4f(vec4i(b.y) & byteMask), p.x5)
    + dot(vec4f(vec4i(b.z) & byteMask), p.x6) + dot(vec4f(vec4i(b.w) & byteMask), p.x7);
  if (groupSize == 32u) {
    let scale = scaleAt(row, piece, numColumns / 32u);
    let sum = scale.x * (first + second);
    if (hasMin) { return sum + scale.y * (p.sum.x + p.sum.y); }
    return sum;
  }
  let scale = scaleAt(row, 2u * piece, numColumns / 16u);
  let next = scaleAt(row, 2u * piece + 1u, numColumns / 16u);
  let sum = scale.x * first + next.x * second;
  if (hasMin) { return sum + scale.y * p.sum.x + next.y * p.sum.y; }
  return sum;
}
