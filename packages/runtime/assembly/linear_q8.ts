import { dot4, loadHalves, madd } from './dot'
import { Format, LinearOp } from './ops'

// One block of a tile: factors (see below), then words j of rows 0-3 and of rows 4-7 for j in 0..7; a word has columns 4j to
// 4j + 3, each plus 128. A lane is a row.
// Q8Half: 8 scales as halves; the value is scale * (byte - 128).
// Q8Full32, Q8Full16: for each group of 32 or 16 columns 8 scales and 8 minimums as floats; the value is scale * byte + minimum.

/** One row of activations by 8 rows of weights; 8 floats at `to`. */
export function q8Tile(op: LinearOp, weights: usize, row: i32, to: usize): void {
  const numBlocks = op.numColumns >> 5
  const quants = op.quants + (<usize>(row * numBlocks) << 5)
  const scales = op.scales + (<usize>(row * numBlocks) << 2)
  const sums = op.sums + (<usize>(row * numBlocks) << 3)
  for (let half: usize = 0; half < 2; half++) {
    v128.store(to + (half << 4), q8Row(op.format, op.takesBytes, numBlocks, weights, half, quants, scales, sums, 1))
  }
}

/** Four rows of activations by 8 rows of weights; 4 times 8 floats at `to`. */
export function q8Tile4(op: LinearOp, weights: usize, group: i32, to: usize): void {
  const numBlocks = op.numColumns >> 5
  const quants = op.quants + (<usize>(group * numBlocks) << 7)
  const scales = op.scales + (<usize>(group * numBlocks) << 4)
  const sums = op.sums + (<usize>(group * numBlocks) << 5)
  for (let r: usize = 0; r < 4; r++) {
    for (let half: usize = 0; half < 2; half++) {
      const y = q8Row(
        op.format,
        op.takesBytes,
        numBlocks,
        weights,
        half,
        quants + (r << 5),
        scales + (r << 2),
        sums + (r << 2),
        4,
      )
      v128.store(to + (r << 5) + (half << 4), y)
    }
  }
}

/** Four weight rows by one activation row, one of `rowsPerGroup`. */
function q8Row(
  format: i32,
  takesBytes: i32,
  numBlocks: i32,
  weights: usize,
  half: usize,
  quants: usize,
  scales: usize,
  sums: usize,
  rowsPerGroup: usize,
): v128 {
  const shift = half << 4
  const stride = rowsPerGroup << 2
  let y = f32x4.splat(0)
  let w = weights
  const end = quants + (<usize>numBlocks << 5) * rowsPerGroup
  for (let x = quants; x < end; x += rowsPerGroup << 5) {
    const step = v128.load32_splat(scales)
    const firstSum = v128.load32_splat(sums)
    const secondSum = v128.load32_splat(sums + stride)
    if (format == Format.Q8Half) {
      const words = w + 16 + shift
      const products = i32x4.add(dotQ8(words, x, takesBytes), dotQ8(words + 128, x + 16, takesBytes))
      const sum = f32x4.mul(f32x4.add(firstSum, secondSum), f32x4.splat(128))
      const centred = f32x4.sub(f32x4.mul(f32x4.convert_i32x4_s(products), step), sum)
      y = madd(centred, loadHalves(w + (half << 3)), y)
      w += 272
    } else if (format == Format.Q8Full32) {
      const words = w + 64 + shift
      const products = i32x4.add(dotQ8(words, x, takesBytes), dotQ8(words + 128, x + 16, takesBytes))
      y = madd(f32x4.mul(f32x4.convert_i32x4_s(products), step), v128.load(w + shift), y)
      y = madd(f32x4.add(firstSum, secondSum), v128.load(w + 32 + shift), y)
      w += 320
    } else {
      const words = w + 128 + shift
      const first = f32x4.convert_i32x4_s(dotQ8(words, x, takesBytes))
      const second = f32x4.convert_i32x4_s(dotQ8(words + 128, x + 16, takesBytes))
      y = madd(f32x4.mul(first, step), v128.load(w + shift), y)
      y = madd(firstSum, v128.load(w + 32 + shift), y)
      y = madd(f32x4.mul(second, step), v128.load(w + 64 + shift), y)
      y = madd(secondSum, v128.load(w + 96 + shift), y)
      w += 384
    }
    scales += stride
    sums += stride << 1
  }
  return y
}

/** Four weight rows by 16 columns. Where the machine's product takes weights to 127 only, in nibbles. */
// @ts-ignore: decorator
@inline
function dotQ8(words: usize, x: usize, takesBytes: i32): v128 {
  const x0 = v128.load32_splat(x)
  const x1 = v128.load32_splat(x, 4)
  const x2 = v128.load32_splat(x, 8)
  const x3 = v128.load32_splat(x, 12)
  const w0 = v128.load(words)
  const w1 = v128.load(words, 32)
  const w2 = v128.load(words, 64)
  const w3 = v128.load(words, 96)
  if (takesBytes) return dot4(x3, w3, dot4(x2, w2, dot4(x1, w1, dot4(x0, w0, i32x4.splat(0)))))
  const nibble = i8x16.splat(15)
  let low = dot4(x0, v128.and(w0, nibble), i32x4.splat(0))
  let high = dot4(x0, v128.and(i32x4.shr_u(w0, 4), nibble), i32x4.splat(0))
  low = dot4(x1, v128.and(w1, nibble), low)
  high = dot4(x1, v128.and(i32x4.shr_u(w1, 4), nibble), high)
  low = dot4(x2, v128.and(w2, nibble), low)
  high = dot4(x2, v128.and(i32x4.shr_u(w2, 4), nibble), high)
  low = dot4(x3, v128.and(w3, nibble), low)
  high = dot4(x3, v128.and(i32x4.shr_u(w3, 4), nibble), high)
  return i32x4.add(low, i32x4.shl(high, 4))
}
