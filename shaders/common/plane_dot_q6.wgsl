// Dot products with weights in q6 planes (layout: packages/runtime/src/backends/webgpu/device-planes.ts), 32 columns, which are two
// groups, at a time. Nibbles and upper bits are masked where they lie, as common/nibble_piece.wgsl does. Put after
// common/scales_*.wgsl.
override numColumns: u32;
const pieceColumns = 32u;

@group(0) @binding(0) var<storage, read> quants: array<vec2i>;
@group(0) @binding(2) var<storage, read> x: array<vec4f>;

// 32 activations: those of the first group, then those of the second, and what stands for zero and for flipped signs.
struct Piece {
  low0: vec4f, low1: vec4f, low2: vec4f, low3: vec4f,
  high0: vec4f, high1: vec4f, high2: vec4f, high3: vec4f,
  lowOffset: f32,
  highOffset: f32,
}

const lowMask = vec4i(0xf, 0xf00, 0xf0000, 0xf000000);
const highMask = vec4i(0xf0, 0xf000, 0xf00000, -0x10000000);
const pairMask = vec4i(0x3, 0x300, 0x30000, 0x3000000);
const lastPairMask = vec4i(0xc0, 0xc000, 0xc00000, -0x40000000);
const topBit = -0x7fffffff - 1;
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
  let low = low0 + low1 + low2 + low3;
  let high = high0 + high1 + high2 + high3;
  return Piece(
    low0 * lowUnit, low1 * lowUnit, low2 * lowUnit, low3 * lowUnit,
    high0 * highUnit, high1 * highUnit, high2 * highUnit, high3 * highUnit,
    32 * (low3.w - (low.x + low.y + low.z + low.w)),
    8 * high.w + 32 * (high3.w - (high.x + high.y + high.z + high.w)),
  );
}

fn dotPiece(row: u32, piece: u32, p: Piece) -> f32 {
  let start = (row * (numColumns / pieceColumns) + piece) * 3u;
  let first = quants[start];
  let last = quants[start + 1u];
  let upper = quants[start + 2u] ^ vec2i(topBit);
  let l = vec4i(upper.x);
  let h = vec4i(upper.y);
  // Upper bits of word j read 2^2j times too large, beside the place's weight.
  let low = p.lowOffset
    + dot(vec4f(vec4i(first.x) & lowMask), p.low0) + 16 * dot(vec4f(l & pairMask), p.low0)
    + dot(vec4f(vec4i(first.y) & lowMask), p.low1) + 4 * dot(vec4f(l & (pairMask * 4)), p.low1)
    + dot(vec4f(vec4i(last.x) & lowMask), p.low2) + dot(vec4f(l & (pairMask * 16)), p.low2)
    + dot(vec4f(vec4i(last.y) & lowMask), p.low3) + 0.25 * dot(vec4f(l & lastPairMask), p.low3);
  let high = p.highOffset
    + dot(vec4f(vec4i(first.x ^ topBit) & highMask), p.high0) + 256 * dot(vec4f(h & pairMask), p.high0)
    + dot(vec4f(vec4i(first.y ^ topBit) & highMask), p.high1) + 64 * dot(vec4f(h & (pairMask * 4)), p.high1)
    + dot(vec4f(vec4i(last.x ^ topBit) & highMask), p.high2) + 16 * dot(vec4f(h & (pairMask * 16)), p.high2)
    + dot(vec4f(vec4i(last.y ^ topBit) & highMask), p.high3) + 4 * dot(vec4f(h & lastPairMask), p.high3);
  return scaleAt(row, 2u * piece, numColumns / 16u).x * low + scaleAt(row, 2u * piece + 1u, numColumns / 16u).x * high;
}
