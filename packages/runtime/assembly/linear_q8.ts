import { dot4, loadHalves, madd } from './dot'
import { dotNibbles } from './linear_rows'
import { Format, LinearOp } from './ops'

// One block of a tile: factors (see below), then words j of rows 0-3 and of rows 4-7 for j in 0..7; a word has columns 4j to
// 4j + 3, each plus 128. A lane is a row.
// Q8Half: 8 scales as halves; the value is scale * (byte - 128).
// Q8Full32, Q8Full16: for each group of 32 or 16 columns 8 scales and 8 minimums as floats; the value is scale * byte + minimum.

/** One row of activations by 8 rows of weights; 8 floats at `to`. */
export function q8Tile(op: LinearOp, weights: usize, row: i32, to: usize): void {
  const numBlocks = op.numColumns >> 5
  const quants = op.quants + (<usize>(row * numBlocks) << 5) * <usize>op.width
  const scales = op.scales + (<usize>(row * numBlocks) << 2)
  const sums = op.sums + (<usize>(row * numBlocks) << 3)
  for (let half: usize = 0; half < 2; half++) {
    v128.store(to + (half << 4), q8Row(op.format, op.takesBytes, op.width == 2, numBlocks, weights, half, quants, scales, sums))
  }
}

/** Four weight rows by one activation row. */
function q8Row(
  format: i32,
  takesBytes: i32,
  isWide: bool,
  numBlocks: i32,
  weights: usize,
  half: usize,
  quants: usize,
  scales: usize,
  sums: usize,
): v128 {
  const shift = half << 4
  let y = f32x4.splat(0)
  let w = weights
  const perBlock: usize = isWide ? 64 : 32
  const end = quants + <usize>numBlocks * perBlock
  for (let x = quants; x < end; x += perBlock) {
    const step = v128.load32_splat(scales)
    const firstSum = v128.load32_splat(sums)
    const secondSum = v128.load32_splat(sums, 4)
    if (format == Format.Q8Half) {
      const words = w + 16 + shift
      const products = i32x4.add(dotQ8(words, x, takesBytes, isWide), dotQ8(words + 128, x + 16, takesBytes, isWide))
      const sum = f32x4.mul(f32x4.add(firstSum, secondSum), f32x4.splat(128))
      const centred = f32x4.sub(f32x4.mul(f32x4.convert_i32x4_s(products), step), sum)
      y = madd(centred, loadHalves(w + (half << 3)), y)
      w += 272
    } else if (format == Format.Q8Full32) {
      const words = w + 64 + shift
      const products = i32x4.add(dotQ8(words, x, takesBytes, isWide), dotQ8(words + 128, x + 16, takesBytes, isWide))
      y = madd(f32x4.mul(f32x4.convert_i32x4_s(products), step), v128.load(w + shift), y)
      y = madd(f32x4.add(firstSum, secondSum), v128.load(w + 32 + shift), y)
      w += 320
    } else {
      const words = w + 128 + shift
      const first = f32x4.convert_i32x4_s(dotQ8(words, x, takesBytes, isWide))
      const second = f32x4.convert_i32x4_s(dotQ8(words + 128, x + 16, takesBytes, isWide))
      y = madd(f32x4.mul(first, step), v128.load(w + shift), y)
      y = madd(firstSum, v128.load(w + 32 + shift), y)
      y = madd(f32x4.mul(second, step), v128.load(w + 64 + shift), y)
      y = madd(secondSum, v128.load(w + 96 + shift), y)
      w += 384
    }
    scales += 4
    sums += 8
  }
  return y
}

/** Four weight rows by 16 columns. */
// @ts-ignore: decorator
@inline
function dotQ8(words: usize, x: usize, takesBytes: i32, isWide: bool): v128 {
  const high = dotBytes(words, x, takesBytes)
  return isWide ? i32x4.add(i32x4.shl(high, 7), dotBytes(words, x + 32, takesBytes)) : high
}

/** Where the machine's product takes weights to 127 only, in nibbles. */
// @ts-ignore: decorator
@inline
function dotBytes(words: usize, x: usize, takesBytes: i32): v128 {
  if (!takesBytes) return dotNibbles(x, words)
  let sum = dot4(v128.load32_splat(x), v128.load(words), i32x4.splat(0))
  sum = dot4(v128.load32_splat(x, 4), v128.load(words, 32), sum)
  sum = dot4(v128.load32_splat(x, 8), v128.load(words, 64), sum)
  return dot4(v128.load32_splat(x, 12), v128.load(words, 96), sum)
}
