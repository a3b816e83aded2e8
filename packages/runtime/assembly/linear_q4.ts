import { dot4, loadHalves, madd } from './dot'
import { Format, LinearOp } from './ops'

// One block of a tile: scales of 8 rows, minimums of 8 rows (halves or floats), then words j of rows 0-3 and of rows 4-7 for
// j in 0..3; a word has columns 4j + p in its low nibbles and 16 + 4j + p in its high ones. A lane is a row.

/** One row of activations by 8 rows of weights; 8 floats at `to`. */
export function q4Tile(op: LinearOp, weights: usize, row: i32, to: usize): void {
  const numBlocks = op.numColumns >> 5
  const quants = op.quants + (<usize>(row * numBlocks) << 5)
  const scales = op.scales + (<usize>(row * numBlocks) << 2)
  const sums = op.sums + (<usize>(row * numBlocks) << 3)
  if (op.format == Format.Q4Half) q4Row<u16>(numBlocks, weights, quants, scales, sums, to)
  else q4Row<f32>(numBlocks, weights, quants, scales, sums, to)
}

/** Four rows of activations by 8 rows of weights; 4 times 8 floats at `to`. */
export function q4Tile4(op: LinearOp, weights: usize, group: i32, to: usize): void {
  const numBlocks = op.numColumns >> 5
  const quants = op.quants + (<usize>(group * numBlocks) << 7)
  const scales = op.scales + (<usize>(group * numBlocks) << 4)
  const sums = op.sums + (<usize>(group * numBlocks) << 5)
  for (let half: usize = 0; half < 2; half++) {
    if (op.format == Format.Q4Half) q4Rows<u16>(numBlocks, weights, half, quants, scales, sums, to)
    else q4Rows<f32>(numBlocks, weights, half, quants, scales, sums, to)
  }
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

/** Half a tile by four rows of activations: the nibbles are taken apart once. */
// @ts-ignore: decorator
@inline
function q4Rows<Scale>(
  numBlocks: i32,
  weights: usize,
  half: usize,
  quants: usize,
  scales: usize,
  sums: usize,
  to: usize,
): void {
  const perFour: usize = 4 * sizeof<Scale>()
  const nibble = i8x16.splat(15)
  let y0 = f32x4.splat(0)
  let y1 = f32x4.splat(0)
  let y2 = f32x4.splat(0)
  let y3 = f32x4.splat(0)
  let w = weights
  const end = quants + (<usize>numBlocks << 7)
  for (let x = quants; x < end; x += 128) {
    const words = w + 4 * perFour + (half << 4)
    let w0 = v128.load(words)
    let w1 = v128.load(words, 32)
    let w2 = v128.load(words, 64)
    let w3 = v128.load(words, 96)
    const w4 = v128.and(i32x4.shr_u(w0, 4), nibble)
    const w5 = v128.and(i32x4.shr_u(w1, 4), nibble)
    const w6 = v128.and(i32x4.shr_u(w2, 4), nibble)
    const w7 = v128.and(i32x4.shr_u(w3, 4), nibble)
    w0 = v128.and(w0, nibble)
    w1 = v128.and(w1, nibble)
    w2 = v128.and(w2, nibble)
    w3 = v128.and(w3, nibble)
    const factor = factorsAt<Scale>(w + half * perFour)
    const least = factorsAt<Scale>(w + (2 + half) * perFour)
    const p0 = f32x4.convert_i32x4_s(dotUnpacked(x, w0, w1, w2, w3, w4, w5, w6, w7))
    y0 = madd(f32x4.mul(p0, v128.load32_splat(scales)), factor, y0)
    y0 = madd(f32x4.add(v128.load32_splat(sums), v128.load32_splat(sums, 16)), least, y0)
    const p1 = f32x4.convert_i32x4_s(dotUnpacked(x + 32, w0, w1, w2, w3, w4, w5, w6, w7))
    y1 = madd(f32x4.mul(p1, v128.load32_splat(scales, 4)), factor, y1)
    y1 = madd(f32x4.add(v128.load32_splat(sums, 4), v128.load32_splat(sums, 20)), least, y1)
    const p2 = f32x4.convert_i32x4_s(dotUnpacked(x + 64, w0, w1, w2, w3, w4, w5, w6, w7))
    y2 = madd(f32x4.mul(p2, v128.load32_splat(scales, 8)), factor, y2)
    y2 = madd(f32x4.add(v128.load32_splat(sums, 8), v128.load32_splat(sums, 24)), least, y2)
    const p3 = f32x4.convert_i32x4_s(dotUnpacked(x + 96, w0, w1, w2, w3, w4, w5, w6, w7))
    y3 = madd(f32x4.mul(p3, v128.load32_splat(scales, 12)), factor, y3)
    y3 = madd(f32x4.add(v128.load32_splat(sums, 12), v128.load32_splat(sums, 28)), least, y3)
    w += 4 * perFour + 128
    scales += 16
    sums += 32
  }
  const at = to + (half << 4)
  v128.store(at, y0)
  v128.store(at, y1, 32)
  v128.store(at, y2, 64)
  v128.store(at, y3, 96)
}

/** 32 columns of one activation row by four weight rows, a byte each. */
// @ts-ignore: decorator
@inline
function dotUnpacked(
  x: usize,
  w0: v128,
  w1: v128,
  w2: v128,
  w3: v128,
  w4: v128,
  w5: v128,
  w6: v128,
  w7: v128,
): v128 {
  let sum = dot4(v128.load32_splat(x), w0, i32x4.splat(0))
  sum = dot4(v128.load32_splat(x, 4), w1, sum)
  sum = dot4(v128.load32_splat(x, 8), w2, sum)
  sum = dot4(v128.load32_splat(x, 12), w3, sum)
  sum = dot4(v128.load32_splat(x, 16), w4, sum)
  sum = dot4(v128.load32_splat(x, 20), w5, sum)
  sum = dot4(v128.load32_splat(x, 24), w6, sum)
  return dot4(v128.load32_splat(x, 28), w7, sum)
}
