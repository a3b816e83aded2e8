// Dot products with weights in q5 planes, 32 columns at a time: nibbles, and fifth bits that are masked where they lie as well.
// Put after common/nibble_piece.wgsl and common/scales_*.wgsl.
@group(0) @binding(0) var<storage, read> quants: array<array<i32, 5>>;

const lowBits = vec4i(0x1, 0x100, 0x10000, 0x1000000);
const highBits = vec4i(0x10, 0x1000, 0x100000, 0x10000000);
const lastHighBits = vec4i(0x80, 0x8000, 0x800000, -0x7fffffff - 1);

fn dotPiece(row: u32, piece: u32, p: Piece) -> f32 {
  let group = row * (numColumns / 32u) + piece;
  let nibbles = vec4i(quants[group][0], quants[group][1], quants[group][2], quants[group][3]);
  // A bit of word j reads 2^j times too large, beside the place's weight. The topmost one's sign is flipped.
  let bits = vec4i(quants[group][4] ^ (-0x7fffffff - 1));
  let fifth =
    16 * (dot(vec4f(bits & lowBits), p.low0) + dot(vec4f(bits & highBits), p.high0) + 0x1p28 * p.high3.w)
    + 8 * (dot(vec4f(bits & (lowBits * 2)), p.low1) + dot(vec4f(bits & (highBits * 2)), p.high1))
    + 4 * (dot(vec4f(bits & (lowBits * 4)), p.low2) + dot(vec4f(bits & (highBits * 4)), p.high2))
    + 2 * (dot(vec4f(bits & (lowBits * 8)), p.low3) + dot(vec4f(bits & lastHighBits), p.high3));
  let scale = scaleAt(row, piece, numColumns / 32u);
  return scale.x * (dotNibbles(nibbles, p) + fifth) + scale.y * p.sum;
}
