import { loadHalves, madd } from './dot'
import { Format, LinearOp } from './ops'
import { bytesPerBlock, bytesPerGroup } from './unpack'

/**
 * One row of float activations by 8 rows of weights, of every format; 8 floats at `to`.
 * @param weights the tile, or where it is unpacked if it is quantised
 */
export function floatTile(op: LinearOp, weights: usize, row: i32, to: usize): void {
  const numColumns = op.numColumns
  const x = op.floats + (<usize>(row * numColumns) << 2)
  const end = x + (<usize>numColumns << 2)
  switch (op.format) {
    case Format.F32:
      f32Row(weights, x, end, to)
      return
    case Format.F16:
      f16Row(weights, x, end, to)
      return
    default: {
      const bytes = weights
      const factors = bytes + <usize>numColumns * (bytesPerBlock >> 5)
      unpackedRow(op.format == Format.Q8Full16 ? 2 : 1, bytes, factors, x, end, to)
    }
  }
}

/** Four rows of float activations by 8 rows of float weights, column by column; 4 times 8 floats at `to`. */
export function fourFloatRows(weights: usize, x: usize, stride: usize, numColumns: i32, to: usize): void {
  let low0 = f32x4.splat(0)
  let low1 = f32x4.splat(0)
  let low2 = f32x4.splat(0)
  let low3 = f32x4.splat(0)
  let high0 = f32x4.splat(0)
  let high1 = f32x4.splat(0)
  let high2 = f32x4.splat(0)
  let high3 = f32x4.splat(0)
  const x1 = x + stride
  const x2 = x1 + stride
  const x3 = x2 + stride
  const end = <usize>numColumns << 2
  for (let column: usize = 0; column < end; column += 4) {
    const low = v128.load(weights)
    const high = v128.load(weights, 16)
    let value = v128.load32_splat(x + column)
    low0 = madd(value, low, low0)
    high0 = madd(value, high, high0)
    value = v128.load32_splat(x1 + column)
    low1 = madd(value, low, low1)
    high1 = madd(value, high, high1)
    value = v128.load32_splat(x2 + column)
    low2 = madd(value, low, low2)
    high2 = madd(value, high, high2)
    value = v128.load32_splat(x3 + column)
    low3 = madd(value, low, low3)
    high3 = madd(value, high, high3)
    weights += 32
  }
  v128.store(to, low0)
  v128.store(to, high0, 16)
  v128.store(to, low1, 32)
  v128.store(to, high1, 48)
  v128.store(to, low2, 64)
  v128.store(to, high2, 80)
  v128.store(to, low3, 96)
  v128.store(to, high3, 112)
}

/** The values of an unpacked tile, as a tile of format F32 has them. */
export function toFloats(op: LinearOp, bytes: usize, factors: usize, to: usize): void {
  const numBlocks = op.numColumns >> 5
  const wordsPerGroup = op.format == Format.Q8Full16 ? 4 : 8
  for (let block = 0; block < numBlocks; block++) {
    for (let word = 0; word < 8; word++) {
      const words = v128.load(bytes + (<usize>word << 5))
      const wordsHigh = v128.load(bytes + (<usize>word << 5), 16)
      for (let shift = 0; shift < 32; shift += 8) {
        v128.store(to, madd(byteOf(words, shift), v128.load(factors), v128.load(factors, 32)))
        v128.store(to, madd(byteOf(wordsHigh, shift), v128.load(factors, 16), v128.load(factors, 48)), 16)
        to += 32
      }
      if ((word + 1) % wordsPerGroup == 0) factors += bytesPerGroup
    }
    bytes += bytesPerBlock
  }
}

/** Halves of a tile as a tile of format F32 has them. */
export function halvesToFloats(weights: usize, numColumns: i32, to: usize): void {
  const end = weights + (<usize>numColumns << 4)
  for (; weights < end; weights += 8, to += 16) v128.store(to, loadHalves(weights))
}

/** Column by column: 8 weights, a row a lane. */
function f32Row(weights: usize, x: usize, end: usize, to: usize): void {
  let low = f32x4.splat(0)
  let high = f32x4.splat(0)
  for (let w = weights; x < end; x += 4, w += 32) {
    const value = v128.load32_splat(x)
    low = madd(value, v128.load(w), low)
    high = madd(value, v128.load(w, 16), high)
  }
  v128.store(to, low)
  v128.store(to, high, 16)
}

function f16Row(weights: usize, x: usize, end: usize, to: usize): void {
  let low = f32x4.splat(0)
  let high = f32x4.splat(0)
  for (let w = weights; x < end; x += 4, w += 16) {
    const value = v128.load32_splat(x)
    low = madd(value, loadHalves(w), low)
    high = madd(value, loadHalves(w + 8), high)
  }
  v128.store(to, low)
  v128.store(to, high, 16)
}

/** Where activations are to stay exact. The tile is unpacked already: four rows at a time, a byte of each word after the other. */
function unpackedRow(numGroups: usize, bytes: usize, factors: usize, x: usize, end: usize, to: usize): void {
  let low = f32x4.splat(0)
  let high = f32x4.splat(0)
  for (; x < end; x += 128) {
    for (let group: usize = 0; group < numGroups; group++) {
      let products = f32x4.splat(0)
      let productsHigh = f32x4.splat(0)
      let sum = f32x4.splat(0)
      const firstWord = group << 2
      const lastWord: usize = numGroups == 1 ? 8 : firstWord + 4
      for (let word = firstWord; word < lastWord; word++) {
        const words = v128.load(bytes + (word << 5))
        const wordsHigh = v128.load(bytes + (word << 5), 16)
        const at = x + (word << 4)
        const x0 = v128.load32_splat(at)
        const x1 = v128.load32_splat(at, 4)
        const x2 = v128.load32_splat(at, 8)
        const x3 = v128.load32_splat(at, 12)
        products = madd(x0, byteOf(words, 0), products)
        productsHigh = madd(x0, byteOf(wordsHigh, 0), productsHigh)
        products = madd(x1, byteOf(words, 8), products)
        productsHigh = madd(x1, byteOf(wordsHigh, 8), productsHigh)
        products = madd(x2, byteOf(words, 16), products)
        productsHigh = madd(x2, byteOf(wordsHigh, 16), productsHigh)
        products = madd(x3, byteOf(words, 24), products)
        productsHigh = madd(x3, byteOf(wordsHigh, 24), productsHigh)
        sum = f32x4.add(sum, f32x4.add(f32x4.add(x0, x1), f32x4.add(x2, x3)))
      }
      low = madd(sum, v128.load(factors, 32), madd(products, v128.load(factors), low))
      high = madd(sum, v128.load(factors, 48), madd(productsHigh, v128.load(factors, 16), high))
      factors += bytesPerGroup
    }
    bytes += bytesPerBlock
  }
  v128.store(to, low)
  v128.store(to, high, 16)
}

// @ts-ignore: decorator
@inline
function byteOf(words: v128, shift: i32): v128 {
  return f32x4.convert_i32x4_u(v128.and(i32x4.shr_u(words, shift), i32x4.splat(255)))
}
