import { dot4, loadHalves, madd } from './dot'
import { Format, LinearOp } from './ops'

// One block of a tile: scales of 8 rows, minimums of 8 rows (halves or floats), then words j of rows 0-3 and of rows 4-7 for
// j in 0..3; a word has columns 4j + p in its low nibbles and 16 + 4j + p in its high ones. A lane is a row.

/** One row of activations by 8 rows of weights; 8 floats at `to`. */
export function q4Tile(op: LinearOp, weights: usize, row: i32, to: usize): void {
  const numBlocks = op.numColumns >> 5
  const quants = op.quants + (<usize>(row * numBlocks) << 5) * <usize>op.width
  const scales = op.scales + (<usize>(row * numBlocks) << 2)
  const sums = op.sums + (<usize>(row * numBlocks) << 3)
  if (op.width == 2) {
    if (op.format == Format.Q4Half) q4WideRow<u16>(numBlocks, weights, quants, scales, sums, to)
    else q4WideRow<f32>(numBlocks, weights, quants, scales, sums, to)
  } else if (op.format == Format.Q4Half) q4Row<u16>(numBlocks, weights, quants, scales, sums, to)
  else q4Row<f32>(numBlocks, weights, quants, scales, sums, to)
}

// @ts-ignore: decorator
@inline
function factorsAt<Scale>(address: usize): v128 {
  return sizeof<Scale>() == 2 ? loadHalves(address) : v128.load(address)
}

// @ts-ignore: decorator
@inline
function q4Row<Scale>(
  numBlocks: i32,
  weights: usize,
  quants: usize,
  scales: usize,
  sums: usize,
  to: usize,
): void {
  const perFour: usize = 4 * sizeof<Scale>()
  let low = f32x4.splat(0)
  let high = f32x4.splat(0)
  let w = weights
  const end = quants + (<usize>numBlocks << 5)
  for (let x = quants; x < end; x += 32) {
    const words = w + 4 * perFour
    const x0 = v128.load32_splat(x)
    const x1 = v128.load32_splat(x, 4)
    const x2 = v128.load32_splat(x, 8)
    const x3 = v128.load32_splat(x, 12)
    const x4 = v128.load32_splat(x, 16)
    const x5 = v128.load32_splat(x, 20)
    const x6 = v128.load32_splat(x, 24)
    const x7 = v128.load32_splat(x, 28)
    const step = v128.load32_splat(scales)
    const sum = f32x4.add(v128.load32_splat(sums), v128.load32_splat(sums, 4))
    const products = f32x4.convert_i32x4_s(dotQ4(words, x0, x1, x2, x3, x4, x5, x6, x7))
    const productsHigh = f32x4.convert_i32x4_s(dotQ4(words + 16, x0, x1, x2, x3, x4, x5, x6, x7))
    low = madd(f32x4.mul(products, step), factorsAt<Scale>(w), low)
    high = madd(f32x4.mul(productsHigh, step), factorsAt<Scale>(w + perFour), high)
    low = madd(sum, factorsAt<Scale>(w + 2 * perFour), low)
    high = madd(sum, factorsAt<Scale>(w + 3 * perFour), high)
    w = words + 128
    scales += 4
    sums += 8
  }
  v128.store(to, low)
  v128.store(to, high, 16)
}

/** The same for activations of two bytes: both go with the nibbles while these are at hand. */
// @ts-ignore: decorator
@inline
function q4WideRow<Scale>(
  numBlocks: i32,
  weights: usize,
  quants: usize,
  scales: usize,
  sums: usize,
  to: usize,
): void {
  const perFour: usize = 4 * sizeof<Scale>()
  let low = f32x4.splat(0)
  let high = f32x4.splat(0)
  let w = weights
  const end = quants + (<usize>numBlocks << 6)
  for (let x = quants; x < end; x += 64) {
    const words = w + 4 * perFour
    const step = v128.load32_splat(scales)
    const sum = f32x4.add(v128.load32_splat(sums), v128.load32_splat(sums, 4))
    const products = f32x4.convert_i32x4_s(dotQ4Wide(words, x))
    const productsHigh = f32x4.convert_i32x4_s(dotQ4Wide(words + 16, x))
    low = madd(f32x4.mul(products, step), factorsAt<Scale>(w), low)
    high = madd(f32x4.mul(productsHigh, step), factorsAt<Scale>(w + perFour), high)
    low = madd(sum, factorsAt<Scale>(w + 2 * perFour), low)
    high = madd(sum, factorsAt<Scale>(w + 3 * perFour), high)
    w = words + 128
    scales += 4
    sums += 8
  }
  v128.store(to, low)
  v128.store(to, high, 16)
}

/** Four weight rows by 32 columns of one activation row of two bytes each. */
// @ts-ignore: decorator
@inline
function dotQ4Wide(words: usize, x: usize): v128 {
  const nibble = i8x16.splat(15)
  let high = i32x4.splat(0)
  let low = i32x4.splat(0)
  let w = v128.load(words)
  let q = v128.and(w, nibble)
  high = dot4(v128.load32_splat(x), q, high)
  low = dot4(v128.load32_splat(x, 32), q, low)
  q = v128.and(i32x4.shr_u(w, 4), nibble)
  high = dot4(v128.load32_splat(x, 16), q, high)
  low = dot4(v128.load32_splat(x, 48), q, low)
  w = v128.load(words, 32)
  q = v128.and(w, nibble)
  high = dot4(v128.load32_splat(x, 4), q, high)
  low = dot4(v128.load32_splat(x, 36), q, low)
  q = v128.and(i32x4.shr_u(w, 4), nibble)
  high = dot4(v128.load32_splat(x, 20), q, high)
  low = dot4(v128.load32_splat(x, 52), q, low)
  w = v128.load(words, 64)
  q = v128.and(w, nibble)
  high = dot4(v128.load32_splat(x, 8), q, high)
  low = dot4(v128.load32_splat(x, 40), q, low)
  q = v128.and(i32x4.shr_u(w, 4), nibble)
  high = dot4(v128.load32_splat(x, 24), q, high)
  low = dot4(v128.load32_splat(x, 56), q, low)
  w = v128.load(words, 96)
  q = v128.and(w, nibble)
  high = dot4(v128.load32_splat(x, 12), q, high)
  low = dot4(v128.load32_splat(x, 44), q, low)
  q = v128.and(i32x4.shr_u(w, 4), nibble)
  high = dot4(v128.load32_splat(x, 28), q, high)
  low = dot4(v128.load32_splat(x, 60), q, low)
  return i32x4.add(i32x4.shl(high, 7), low)
}

/** Four weight rows by 32 columns of one activation row. */
// @ts-ignore: decorator
@inline
function dotQ4(
  words: usize,
  x0: v128,
  x1: v128,
  x2: v128,
  x3: v128,
  x4: v128,
  x5: v128,
  x6: v128,
  x7: v128,
): v128 {
  const nibble = i8x16.splat(15)
  let w = v128.load(words)
  let sum = dot4(x0, v128.and(w, nibble), i32x4.splat(0))
  sum = dot4(x4, v128.and(i32x4.shr_u(w, 4), nibble), sum)
  w = v128.load(words, 32)
  sum = dot4(x1, v128.and(w, nibble), sum)
  sum = dot4(x5, v128.and(i32x4.shr_u(w, 4), nibble), sum)
  w = v128.load(words, 64)
  sum = dot4(x2, v128.and(w, nibble), sum)
  sum = dot4(x6, v128.and(i32x4.shr_u(w, 4), nibble), sum)
  w = v128.load(words, 96)
  sum = dot4(x3, v128.and(w, nibble), sum)
  return dot4(x7, v128.and(i32x4.shr_u(w, 4), nibble), sum)
}
