import { dot4, madd } from './dot'
import { bytesPerBlock, bytesPerGroup } from './unpack'

/**
 * Four rows of activations by 8 rows of weights that are unpacked; 4 times 8 floats at `to`.
 * @param numGroups of a block, each with its factors: 1 or 2
 * @param isSplit whether bytes go through the product in nibbles: where it takes weights to 127 only
 */
export function fourRows(
  numBlocks: i32,
  numGroups: i32,
  isSplit: bool,
  bytes: usize,
  factors: usize,
  quants: usize,
  scales: usize,
  sums: usize,
  to: usize,
): void {
  for (let half: usize = 0; half < 32; half += 16) {
    if (isSplit) fourRowsSplit(numBlocks, numGroups, bytes + half, factors + half, quants, scales, sums, to + half)
    else if (numGroups == 1) fourRowsOfBlocks(numBlocks, bytes + half, factors + half, quants, scales, sums, to + half)
    else fourRowsOfHalves(numBlocks, bytes + half, factors + half, quants, scales, sums, to + half)
  }
}

/** One pair of factors a block: the weights of a block stay in registers for four rows. */
function fourRowsOfBlocks(
  numBlocks: i32,
  bytes: usize,
  factors: usize,
  quants: usize,
  scales: usize,
  sums: usize,
  to: usize,
): void {
  let y0 = f32x4.splat(0)
  let y1 = f32x4.splat(0)
  let y2 = f32x4.splat(0)
  let y3 = f32x4.splat(0)
  const end = quants + (<usize>numBlocks << 7)
  for (let x = quants; x < end; x += 128) {
    const w0 = v128.load(bytes)
    const w1 = v128.load(bytes, 32)
    const w2 = v128.load(bytes, 64)
    const w3 = v128.load(bytes, 96)
    const w4 = v128.load(bytes, 128)
    const w5 = v128.load(bytes, 160)
    const w6 = v128.load(bytes, 192)
    const w7 = v128.load(bytes, 224)
    const scale = v128.load(factors)
    const least = v128.load(factors, 32)
    const p0 = f32x4.convert_i32x4_s(dotWords(x, w0, w1, w2, w3, w4, w5, w6, w7))
    y0 = madd(f32x4.mul(p0, v128.load32_splat(scales)), scale, y0)
    y0 = madd(f32x4.add(v128.load32_splat(sums), v128.load32_splat(sums, 16)), least, y0)
    const p1 = f32x4.convert_i32x4_s(dotWords(x + 32, w0, w1, w2, w3, w4, w5, w6, w7))
    y1 = madd(f32x4.mul(p1, v128.load32_splat(scales, 4)), scale, y1)
    y1 = madd(f32x4.add(v128.load32_splat(sums, 4), v128.load32_splat(sums, 20)), least, y1)
    const p2 = f32x4.convert_i32x4_s(dotWords(x + 64, w0, w1, w2, w3, w4, w5, w6, w7))
    y2 = madd(f32x4.mul(p2, v128.load32_splat(scales, 8)), scale, y2)
    y2 = madd(f32x4.add(v128.load32_splat(sums, 8), v128.load32_splat(sums, 24)), least, y2)
    const p3 = f32x4.convert_i32x4_s(dotWords(x + 96, w0, w1, w2, w3, w4, w5, w6, w7))
    y3 = madd(f32x4.mul(p3, v128.load32_splat(scales, 12)), scale, y3)
    y3 = madd(f32x4.add(v128.load32_splat(sums, 12), v128.load32_splat(sums, 28)), least, y3)
    bytes += bytesPerBlock
    factors += bytesPerGroup
    scales += 16
    sums += 32
  }
  v128.store(to, y0)
  v128.store(to, y1, 32)
  v128.store(to, y2, 64)
  v128.store(to, y3, 96)
}

/** Two pairs of factors a block: columns 0 to 15 and 16 to 31 are summed apart. */
function fourRowsOfHalves(
  numBlocks: i32,
  bytes: usize,
  factors: usize,
  quants: usize,
  scales: usize,
  sums: usize,
  to: usize,
): void {
  for (let row: usize = 0; row < 4; row++) {
    let y = f32x4.splat(0)
    for (let block: usize = 0; block < <usize>numBlocks; block++) {
      const x = quants + (((block << 2) + row) << 5)
      const words = bytes + block * bytesPerBlock
      const pair = factors + block * 2 * bytesPerGroup
      const step = v128.load32_splat(scales + (((block << 2) + row) << 2))
      const sum = sums + (block << 5) + (row << 2)
      const first = f32x4.mul(f32x4.convert_i32x4_s(dotHalf(x, words)), step)
      const second = f32x4.mul(f32x4.convert_i32x4_s(dotHalf(x + 16, words + 128)), step)
      y = madd(first, v128.load(pair), y)
      y = madd(v128.load32_splat(sum), v128.load(pair, 32), y)
      y = madd(second, v128.load(pair, 64), y)
      y = madd(v128.load32_splat(sum, 16), v128.load(pair, 96), y)
    }
    v128.store(to + (row << 5), y)
  }
}

function fourRowsSplit(
  numBlocks: i32,
  numGroups: i32,
  bytes: usize,
  factors: usize,
  quants: usize,
  scales: usize,
  sums: usize,
  to: usize,
): void {
  for (let row: usize = 0; row < 4; row++) {
    let y = f32x4.splat(0)
    for (let block: usize = 0; block < <usize>numBlocks; block++) {
      const x = quants + (((block << 2) + row) << 5)
      const words = bytes + block * bytesPerBlock
      const first = factors + block * <usize>numGroups * bytesPerGroup
      const second = numGroups == 1 ? first : first + bytesPerGroup
      const step = v128.load32_splat(scales + (((block << 2) + row) << 2))
      const sum = sums + (block << 5) + (row << 2)
      y = madd(f32x4.mul(f32x4.convert_i32x4_s(dotNibbles(x, words)), step), v128.load(first), y)
      y = madd(f32x4.mul(f32x4.convert_i32x4_s(dotNibbles(x + 16, words + 128)), step), v128.load(second), y)
      y = madd(v128.load32_splat(sum), v128.load(first, 32), y)
      y = madd(v128.load32_splat(sum, 16), v128.load(second, 32), y)
    }
    v128.store(to + (row << 5), y)
  }
}

/** 32 columns of one activation row by four weight rows in registers. */
// @ts-ignore: decorator
@inline
function dotWords(
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

/** 16 columns of one activation row by four weight rows. */
// @ts-ignore: decorator
@inline
function dotHalf(x: usize, words: usize): v128 {
  let sum = dot4(v128.load32_splat(x), v128.load(words), i32x4.splat(0))
  sum = dot4(v128.load32_splat(x, 4), v128.load(words, 32), sum)
  sum = dot4(v128.load32_splat(x, 8), v128.load(words, 64), sum)
  return dot4(v128.load32_splat(x, 12), v128.load(words, 96), sum)
}

/** The same for bytes above 127, where the product does not take them. */
// @ts-ignore: decorator
@inline
export function dotNibbles(x: usize, words: usize): v128 {
  const nibble = i8x16.splat(15)
  let low = i32x4.splat(0)
  let high = i32x4.splat(0)
  for (let word: usize = 0; word < 4; word++) {
    const activations = v128.load32_splat(x + (word << 2))
    const weights = v128.load(words + (word << 5))
    low = dot4(activations, v128.and(weights, nibble), low)
    high = dot4(activations, v128.and(i32x4.shr_u(weights, 4), nibble), high)
  }
  return i32x4.add(low, i32x4.shl(high, 4))
}
