import { dot4, madd } from './dot'
import { bytesPerBlock, bytesPerGroup } from './unpack'

/**
 * Four rows of activations by 8 rows of weights that are unpacked; 4 times 8 floats at `to`.
 * @param numGroups of a block, each with its factors: 1 or 2
 * @param isSplit whether bytes go through the product in nibbles: where it takes weights to 127 only
 * @param isWide whether activations have two bytes
 */
export function fourRows(
  numBlocks: i32,
  numGroups: i32,
  isSplit: bool,
  isWide: bool,
  bytes: usize,
  factors: usize,
  quants: usize,
  scales: usize,
  sums: usize,
  to: usize,
): void {
  for (let half: usize = 0; half < 32; half += 16) {
    const b = bytes + half
    const f = factors + half
    const y = to + half
    if (isSplit || numGroups == 2) fourRowsOfHalves(numBlocks, numGroups, isSplit, isWide, b, f, quants, scales, sums, y)
    else if (isWide) fourRowsOfBlocks<u16>(numBlocks, b, f, quants, scales, sums, y)
    else fourRowsOfBlocks<u8>(numBlocks, b, f, quants, scales, sums, y)
  }
}

/** One pair of factors a block: the weights of a block stay in registers for four rows of activations of type Width. */
function fourRowsOfBlocks<Width>(
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
  const perRow: usize = 32 * sizeof<Width>()
  const end = quants + (<usize>numBlocks << 2) * perRow
  for (let x = quants; x < end; x += 4 * perRow) {
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
    const p0 = f32x4.convert_i32x4_s(dotRow<Width>(x, w0, w1, w2, w3, w4, w5, w6, w7))
    y0 = madd(f32x4.mul(p0, v128.load32_splat(scales)), scale, y0)
    y0 = madd(f32x4.add(v128.load32_splat(sums), v128.load32_splat(sums, 16)), least, y0)
    const p1 = f32x4.convert_i32x4_s(dotRow<Width>(x + perRow, w0, w1, w2, w3, w4, w5, w6, w7))
    y1 = madd(f32x4.mul(p1, v128.load32_splat(scales, 4)), scale, y1)
    y1 = madd(f32x4.add(v128.load32_splat(sums, 4), v128.load32_splat(sums, 20)), least, y1)
    const p2 = f32x4.convert_i32x4_s(dotRow<Width>(x + 2 * perRow, w0, w1, w2, w3, w4, w5, w6, w7))
    y2 = madd(f32x4.mul(p2, v128.load32_splat(scales, 8)), scale, y2)
    y2 = madd(f32x4.add(v128.load32_splat(sums, 8), v128.load32_splat(sums, 24)), least, y2)
    const p3 = f32x4.convert_i32x4_s(dotRow<Width>(x + 3 * perRow, w0, w1, w2, w3, w4, w5, w6, w7))
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

/** A row at a time, columns 0 to 15 and 16 to 31 apart: for two pairs of factors a block, and for bytes in nibbles. */
function fourRowsOfHalves(
  numBlocks: i32,
  numGroups: i32,
  isSplit: bool,
  isWide: bool,
  bytes: usize,
  factors: usize,
  quants: usize,
  scales: usize,
  sums: usize,
  to: usize,
): void {
  const perRow: usize = isWide ? 64 : 32
  for (let row: usize = 0; row < 4; row++) {
    let y = f32x4.splat(0)
    for (let block: usize = 0; block < <usize>numBlocks; block++) {
      const x = quants + ((block << 2) + row) * perRow
      const words = bytes + block * bytesPerBlock
      const first = factors + block * <usize>numGroups * bytesPerGroup
      const second = numGroups == 1 ? first : first + bytesPerGroup
      const step = v128.load32_splat(scales + (((block << 2) + row) << 2))
      const sum = sums + (block << 5) + (row << 2)
      y = madd(f32x4.mul(f32x4.convert_i32x4_s(dotHalf(x, words, isSplit, isWide)), step), v128.load(first), y)
      const p = f32x4.convert_i32x4_s(dotHalf(x + 16, words + 128, isSplit, isWide))
      y = madd(f32x4.mul(p, step), v128.load(second), y)
      y = madd(v128.load32_splat(sum), v128.load(first, 32), y)
      y = madd(v128.load32_splat(sum, 16), v128.load(second, 32), y)
    }
    v128.store(to + (row << 5), y)
  }
}

// @ts-ignore: decorator
@inline
function dotRow<Width>(
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
  const high = dotWords(x, w0, w1, w2, w3, w4, w5, w6, w7)
  if (sizeof<Width>() == 1) return high
  return i32x4.add(i32x4.shl(high, 7), dotWords(x + 32, w0, w1, w2, w3, w4, w5, w6, w7))
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
function dotHalf(x: usize, words: usize, isSplit: bool, isWide: bool): v128 {
  const high = isSplit ? dotNibbles(x, words) : dotBytes(x, words)
  if (!isWide) return high
  return i32x4.add(i32x4.shl(high, 7), isSplit ? dotNibbles(x + 32, words) : dotBytes(x + 32, words))
}

// @ts-ignore: decorator
@inline
function dotBytes(x: usize, words: usize): v128 {
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
