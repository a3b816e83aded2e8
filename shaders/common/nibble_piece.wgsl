// 32 activations as the nibbles of q4 and q5 planes want them (layout: packages/runtime/src/backends/webgpu/device-planes.ts).
//
// A nibble is masked where it lies, so that it reads as nibble * 2^shift, and the activation that meets it is multiplied by
// 2^-shift beforehand: both are exact, and no bits are shifted. The top nibble's sign bit is flipped, which makes it a
// signed nibble - 8; `offset` gives the 8 back.
override numColumns: u32;
const pieceColumns = 32u;

@group(0) @binding(2) var<storage, read> x: array<vec4f>;

// 32 activations: those of the low nibbles of each word, then those of the high ones.
struct Piece {
  low0: vec4f, low1: vec4f, low2: vec4f, low3: vec4f,
  high0: vec4f, high1: vec4f, high2: vec4f, high3: vec4f,
  offset: f32,
  sum: f32,
}

const lowMask = vec4i(0xf, 0xf00, 0xf0000, 0xf000000);
const highMask = vec4i(0xf0, 0xf000, 0xf00000, -0x10000000);
const topBit = vec4i(-0x7fffffff - 1);
const lowUnit = vec4f(1, 0x1p-8, 0x1p-16, 0x1p-24);
const highUnit = vec4f(0x1p-4, 0x1p-12, 0x1p-20, 0x1p-28);

fn loadPiece(batchRow: u32, piece: u32) -> Piece {
  let start = (batchRow * (numColumns / pieceColumns) + piece) * 8u;
  let low0 = x[start];
  let low1 = x[start + 1u];
  let low2 = x[start + 2u];
  let low3 = x[start + 3u];
  let high0 = x[start + 4u];
  let high1 = x[start + 5u];
  let high2 = x[start + 6u];
  let high3 = x[start + 7u];
  let high = high0 + high1 + high2 + high3;
  let all = low0 + low1 + low2 + low3 + high;
  return Piece(
    low0 * lowUnit, low1 * lowUnit, low2 * lowUnit, low3 * lowUnit,
    high0 * highUnit, high1 * highUnit, high2 * highUnit, high3 * highUnit,
    8 * high.w,
    all.x + all.y + all.z + all.w,
  );
}

fn dotNibbles(words: vec4i, p: Piece) -> f32 {
  let q = words ^ topBit;
  return p.offset
    + dot(vec4f(vec4i(q.x) & lowMask), p.low0) + dot(vec4f(vec4i(q.x) & highMask), p.high0)
    + dot(vec4f(vec4i(q.y) & lowMask), p.low1) + dot(vec4f(vec4i(q.y) & highMask), p.high1)
    + dot(vec4f(vec4i(q.z) & lowMask), p.low2) + dot(vec4f(vec4i(q.z) & highMask), p.high2)
    + dot(vec4f(vec4i(q.w) & lowMask), p.low3) + dot(vec4f(vec4i(q.w) & highMask), p.high3);
}
