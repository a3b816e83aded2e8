import { loadHalves, madd } from './dot'
import { Format, LinearOp } from './ops'
import { bytesPerBlock, bytesPerGroup } from './unpack'

// Products of whole numbers where the machine has none of bytes in one instruction: activations are halves, two of which, columns
// 4j and 4j + 2 or 4j + 1 and 4j + 3 (quantise.ts stores them so), are multiplied by two columns of weights at a time, as a word of a
// tile has them behind a mask or a shift. On a Xeon without AVX-VNNI, from its cache, ns a weight and row: 4 bits 0.075 for one row and
// 0.045 for many, 8 bits 0.066 and 0.045; products of bytes in three instructions 0.109, 0.093, 0.247 and 0.238; by plain SIMD 0.15,
// 0.10, 0.33 and 0.35. Activations of 8 bits take as long: they were 0.07 and 0.05 for 4 bits. Lost: the loop over words written out.

/** One row of activations by 8 rows of weights; 8 floats at `to`. */
export function pairsTile(op: LinearOp, weights: usize, row: i32, to: usize): void {
  const numBlocks = op.numColumns >> 5
  const quants = op.quants + (<usize>(row * numBlocks) << 6)
  const scales = op.scales + (<usize>(row * numBlocks) << 2)
  const sums = op.sums + (<usize>(row * numBlocks) << 3)
  switch (op.format) {
    case Format.Q4Half:
      q4Row<u16>(numBlocks, weights, quants, scales, sums, to)
      return
    case Format.Q4Full:
      q4Row<f32>(numBlocks, weights, quants, scales, sums, to)
      return
    case Format.Q8Half:
      q8HalfRow(numBlocks, weights, quants, scales, sums, to)
      return
    case Format.Q8Full32:
      q8FullRow(1, numBlocks, weights, quants, scales, sums, to)
      return
    default:
      q8FullRow(2, numBlocks, weights, quants, scales, sums, to)
  }
}

// @ts-ignore: decorator
@inline
function factorsAt<Scale>(address: usize): v128 {
  return sizeof<Scale>() == 2 ? loadHalves(address) : v128.load(address)
}

// @ts-ignore: decorator
@inline
function q4Row<Scale>(numBlocks: i32, w: usize, quants: usize, scales: usize, sums: usize, to: usize): void {
  const perFour: usize = 4 * sizeof<Scale>()
  const nibble = i16x8.splat(15)
  let low = f32x4.splat(0)
  let high = f32x4.splat(0)
  const end = quants + (<usize>numBlocks << 6)
  for (let block = quants; block < end; block += 64) {
    const words = w + 4 * perFour
    let a = i32x4.splat(0)
    let b = i32x4.splat(0)
    let at = words
    for (let x = block; x < block + 32; x += 8) {
      const v = v128.load(at)
      const u = v128.load(at, 16)
      at += 32
      const x0 = v128.load32_splat(x)
      a = i32x4.add(a, i32x4.dot_i16x8_s(x0, v128.and(v, nibble)))
      b = i32x4.add(b, i32x4.dot_i16x8_s(x0, v128.and(u, nibble)))
      const x1 = v128.load32_splat(x, 32)
      a = i32x4.add(a, i32x4.dot_i16x8_s(x1, v128.and(i16x8.shr_u(v, 4), nibble)))
      b = i32x4.add(b, i32x4.dot_i16x8_s(x1, v128.and(i16x8.shr_u(u, 4), nibble)))
      const x2 = v128.load32_splat(x, 4)
      a = i32x4.add(a, i32x4.dot_i16x8_s(x2, v128.and(i16x8.shr_u(v, 8), nibble)))
      b = i32x4.add(b, i32x4.dot_i16x8_s(x2, v128.and(i16x8.shr_u(u, 8), nibble)))
      const x3 = v128.load32_splat(x, 36)
      a = i32x4.add(a, i32x4.dot_i16x8_s(x3, i16x8.shr_u(v, 12)))
      b = i32x4.add(b, i32x4.dot_i16x8_s(x3, i16x8.shr_u(u, 12)))
    }
    const step = v128.load32_splat(scales)
    const sum = f32x4.add(v128.load32_splat(sums), v128.load32_splat(sums, 4))
    low = madd(f32x4.mul(f32x4.convert_i32x4_s(a), step), factorsAt<Scale>(w), low)
    high = madd(f32x4.mul(f32x4.convert_i32x4_s(b), step), factorsAt<Scale>(w + perFour), high)
    low = madd(sum, factorsAt<Scale>(w + 2 * perFour), low)
    high = madd(sum, factorsAt<Scale>(w + 3 * perFour), high)
    w = words + 128
    scales += 4
    sums += 8
  }
  v128.store(to, low)
  v128.store(to, high, 16)
}

function q8HalfRow(numBlocks: i32, w: usize, quants: usize, scales: usize, sums: usize, to: usize): void {
  let low = f32x4.splat(0)
  let high = f32x4.splat(0)
  const end = quants + (<usize>numBlocks << 6)
  for (let x = quants; x < end; x += 64) {
    const step = v128.load32_splat(scales)
    const sum = f32x4.mul(f32x4.add(v128.load32_splat(sums), v128.load32_splat(sums, 4)), f32x4.splat(128))
    const a = f32x4.sub(f32x4.mul(f32x4.convert_i32x4_s(dotBytes(w + 16, x, 64)), step), sum)
    const b = f32x4.sub(f32x4.mul(f32x4.convert_i32x4_s(dotBytes(w + 32, x, 64)), step), sum)
    low = madd(a, loadHalves(w), low)
    high = madd(b, loadHalves(w + 8), high)
    w += 272
    scales += 4
    sums += 8
  }
  v128.store(to, low)
  v128.store(to, high, 16)
}

// @ts-ignore: decorator
@inline
function q8FullRow(numGroups: usize, numBlocks: i32, w: usize, quants: usize, scales: usize, sums: usize, to: usize): void {
  let low = f32x4.splat(0)
  let high = f32x4.splat(0)
  const bytes: usize = 64 / numGroups
  const end = quants + (<usize>numBlocks << 6)
  for (let x = quants; x < end; x += 64) {
    const step = v128.load32_splat(scales)
    let words = w + (numGroups << 6)
    for (let group: usize = 0; group < numGroups; group++) {
      const factors = w + (group << 6)
      const own = v128.load32_splat(sums + (group << 2))
      const sum = numGroups == 1 ? f32x4.add(own, v128.load32_splat(sums, 4)) : own
      const from = x + group * bytes
      const a = f32x4.mul(f32x4.convert_i32x4_s(dotBytes(words, from, bytes)), step)
      const b = f32x4.mul(f32x4.convert_i32x4_s(dotBytes(words + 16, from, bytes)), step)
      low = madd(sum, v128.load(factors, 32), madd(a, v128.load(factors), low))
      high = madd(sum, v128.load(factors, 48), madd(b, v128.load(factors, 16), high))
      words += bytes << 2
    }
    w += (numGroups << 6) + bytesPerBlock
    scales += 4
    sums += 8
  }
  v128.store(to, low)
  v128.store(to, high, 16)
}

/** Four weight rows by the columns of `bytes` bytes of one activation row. */
// @ts-ignore: decorator
@inline
function dotBytes(words: usize, from: usize, bytes: usize): v128 {
  const byte = i16x8.splat(255)
  let even = i32x4.splat(0)
  let odd = i32x4.splat(0)
  for (let x = from; x < from + bytes; x += 8) {
    const w = v128.load(words)
    even = i32x4.add(even, i32x4.dot_i16x8_s(v128.load32_splat(x), v128.and(w, byte)))
    odd = i32x4.add(odd, i32x4.dot_i16x8_s(v128.load32_splat(x, 4), i16x8.shr_u(w, 8)))
    words += 32
  }
  return i32x4.add(even, odd)
}

/** As linear_rows.ts has it: four rows of activations by 8 rows of weights that are unpacked; 4 times 8 floats at `to`. */
export function fourPairsRows(
  numBlocks: i32,
  numGroups: i32,
  bytes: usize,
  factors: usize,
  quants: usize,
  scales: usize,
  sums: usize,
  to: usize,
): void {
  if (numGroups == 1) fourRows(1, numBlocks, bytes, factors, quants, scales, sums, to)
  else fourRows(2, numBlocks, bytes, factors, quants, scales, sums, to)
}

// @ts-ignore: decorator
@inline
function fourRows(
  numGroups: usize,
  numBlocks: i32,
  bytes: usize,
  factors: usize,
  quants: usize,
  scales: usize,
  sums: usize,
  to: usize,
): void {
  memory.fill(to, 0, 128)
  const byte = i16x8.splat(255)
  const perGroup: usize = 64 / numGroups
  const end = quants + (<usize>numBlocks << 8)
  for (let block = quants; block < end; block += 256) {
    for (let group: usize = 0; group < numGroups; group++) {
      let a0 = i32x4.splat(0)
      let b0 = a0
      let a1 = a0
      let b1 = a0
      let a2 = a0
      let b2 = a0
      let a3 = a0
      let b3 = a0
      const first = block + group * perGroup
      for (let x = first; x < first + perGroup; x += 8) {
        const v = v128.load(bytes)
        const u = v128.load(bytes, 16)
        bytes += 32
        let a = v128.and(v, byte)
        let b = v128.and(u, byte)
        let s = v128.load32_splat(x)
        a0 = i32x4.add(a0, i32x4.dot_i16x8_s(s, a))
        b0 = i32x4.add(b0, i32x4.dot_i16x8_s(s, b))
        s = v128.load32_splat(x, 64)
        a1 = i32x4.add(a1, i32x4.dot_i16x8_s(s, a))
        b1 = i32x4.add(b1, i32x4.dot_i16x8_s(s, b))
        s = v128.load32_splat(x, 128)
        a2 = i32x4.add(a2, i32x4.dot_i16x8_s(s, a))
        b2 = i32x4.add(b2, i32x4.dot_i16x8_s(s, b))
        s = v128.load32_splat(x, 192)
        a3 = i32x4.add(a3, i32x4.dot_i16x8_s(s, a))
        b3 = i32x4.add(b3, i32x4.dot_i16x8_s(s, b))
        a = i16x8.shr_u(v, 8)
        b = i16x8.shr_u(u, 8)
        s = v128.load32_splat(x, 4)
        a0 = i32x4.add(a0, i32x4.dot_i16x8_s(s, a))
        b0 = i32x4.add(b0, i32x4.dot_i16x8_s(s, b))
        s = v128.load32_splat(x, 68)
        a1 = i32x4.add(a1, i32x4.dot_i16x8_s(s, a))
        b1 = i32x4.add(b1, i32x4.dot_i16x8_s(s, b))
        s = v128.load32_splat(x, 132)
        a2 = i32x4.add(a2, i32x4.dot_i16x8_s(s, a))
        b2 = i32x4.add(b2, i32x4.dot_i16x8_s(s, b))
        s = v128.load32_splat(x, 196)
        a3 = i32x4.add(a3, i32x4.dot_i16x8_s(s, a))
        b3 = i32x4.add(b3, i32x4.dot_i16x8_s(s, b))
      }
      const groupSums = sums + (group << 4)
      addGroup(numGroups, a0, b0, factors, scales, groupSums, to)
      addGroup(numGroups, a1, b1, factors, scales + 4, groupSums + 4, to + 32)
      addGroup(numGroups, a2, b2, factors, scales + 8, groupSums + 8, to + 64)
      addGroup(numGroups, a3, b3, factors, scales + 12, groupSums + 12, to + 96)
      factors += bytesPerGroup
    }
    scales += 16
    sums += 32
  }
}

/** y += step * a group's whole numbers * its scales + the sum of its activations * its minimums */
// @ts-ignore: decorator
@inline
function addGroup(numGroups: usize, low: v128, high: v128, factors: usize, scales: usize, sums: usize, y: usize): void {
  const step = v128.load32_splat(scales)
  const own = v128.load32_splat(sums)
  const sum = numGroups == 1 ? f32x4.add(own, v128.load32_splat(sums, 16)) : own
  const a = madd(f32x4.mul(f32x4.convert_i32x4_s(low), step), v128.load(factors), v128.load(y))
  v128.store(y, madd(sum, v128.load(factors, 32), a))
  const b = madd(f32x4.mul(f32x4.convert_i32x4_s(high), step), v128.load(factors, 16), v128.load(y, 16))
  v128.store(y, madd(sum, v128.load(factors, 48), b), 16)
}
