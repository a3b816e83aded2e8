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
  if (isSplit || numGroups == 2) {
    for (let half: usize = 0; half < 32; half += 16) {
      const b = bytes + half
      const f = factors + half
      fourRowsOfHalves(numBlocks, numGroups, isSplit, isWide, b, f, quants, scales, sums, to + half)
    }
  } else if (isWide) fourRowsOfBlocks<u16>(numBlocks, bytes, factors, quants, scales, sums, to)
  else fourRowsOfBlocks<u8>(numBlocks, bytes, factors, quants, scales, sums, to)
}

/**
 * One pair of factors a block. Eight sums of whole numbers, a word of columns at a time: a vector of weights serves four rows
 * of activations of type Width, and a vector of activations both halves of the tile. Sums of low bytes go on where those of
 * high ones, shifted, end. Floats wait in memory: registers hold the whole numbers alone. Lost: half a tile, its weights of a
 * block and the floats in registers and a broadcast for each product, 1.75 times as long relaxed and 1.22 times plain.
 */
function fourRowsOfBlocks<Width>(
  numBlocks: i32,
  bytes: usize,
  factors: usize,
  quants: usize,
  scales: usize,
  sums: usize,
  to: usize,
): void {
  memory.fill(to, 0, 128)
  const perRow: usize = 32 * sizeof<Width>()
  const end = quants + (<usize>numBlocks << 2) * perRow
  for (let x = quants; x < end; x += 4 * perRow) {
    let a0 = i32x4.splat(0)
    let b0 = a0
    let a1 = a0
    let b1 = a0
    let a2 = a0
    let b2 = a0
    let a3 = a0
    let b3 = a0
    for (let word: usize = 0; word < 32; word += 4) {
      const a = v128.load(bytes + (word << 3))
      const b = v128.load(bytes + (word << 3), 16)
      const x0 = v128.load32_splat(x + word)
      a0 = dot4(x0, a, a0)
      b0 = dot4(x0, b, b0)
      const x1 = v128.load32_splat(x + word, perRow)
      a1 = dot4(x1, a, a1)
      b1 = dot4(x1, b, b1)
      const x2 = v128.load32_splat(x + word, 2 * perRow)
      a2 = dot4(x2, a, a2)
      b2 = dot4(x2, b, b2)
      const x3 = v128.load32_splat(x + word, 3 * perRow)
      a3 = dot4(x3, a, a3)
      b3 = dot4(x3, b, b3)
    }
    if (sizeof<Width>() == 2) {
      a0 = i32x4.shl(a0, 7)
      b0 = i32x4.shl(b0, 7)
      a1 = i32x4.shl(a1, 7)
      b1 = i32x4.shl(b1, 7)
      a2 = i32x4.shl(a2, 7)
      b2 = i32x4.shl(b2, 7)
      a3 = i32x4.shl(a3, 7)
      b3 = i32x4.shl(b3, 7)
      for (let word: usize = 0; word < 32; word += 4) {
        const a = v128.load(bytes + (word << 3))
        const b = v128.load(bytes + (word << 3), 16)
        const x0 = v128.load32_splat(x + word, 32)
        a0 = dot4(x0, a, a0)
        b0 = dot4(x0, b, b0)
        const x1 = v128.load32_splat(x + word, perRow + 32)
        a1 = dot4(x1, a, a1)
        b1 = dot4(x1, b, b1)
        const x2 = v128.load32_splat(x + word, 2 * perRow + 32)
        a2 = dot4(x2, a, a2)
        b2 = dot4(x2, b, b2)
        const x3 = v128.load32_splat(x + word, 3 * perRow + 32)
        a3 = dot4(x3, a, a3)
        b3 = dot4(x3, b, b3)
      }
    }
    addBlock(a0, b0, factors, scales, sums, to)
    addBlock(a1, b1, factors, scales + 4, sums + 4, to + 32)
    addBlock(a2, b2, factors, scales + 8, sums + 8, to + 64)
    addBlock(a3, b3, factors, scales + 12, sums + 12, to + 96)
    bytes += bytesPerBlock
    factors += bytesPerGroup
    scales += 16
    sums += 32
  }
}

/** y += step * a block's whole numbers * its scales + the sum of its activations * its minimums */
// @ts-ignore: decorator
@inline
function addBlock(low: v128, high: v128, factors: usize, scales: usize, sums: usize, y: usize): void {
  const step = v128.load32_splat(scales)
  const sum = f32x4.add(v128.load32_splat(sums), v128.load32_splat(sums, 16))
  const a = madd(f32x4.mul(f32x4.convert_i32x4_s(low), step), v128.load(factors), v128.load(y))
  v128.store(y, madd(sum, v128.load(factors, 32), a))
  const b = madd(f32x4.mul(f32x4.convert_i32x4_s(high), step), v128.load(factors, 16), v128.load(y, 16))
  v128.store(y, madd(sum, v128.load(factors, 48), b), 16)
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
