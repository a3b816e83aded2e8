import { madd, sumOfLanes } from './dot'
import { NormaliseOp, PostNormOp } from './ops'
import { wholeNumbers } from './round'

// Activations for integer products: blocks of 32 whole numbers with a scale and, for each half of the block, the scaled sum. A
// number is a signed byte, or of 15 bits in two: 128 * high + low, so that a product of it is two products of bytes.
// Without products of bytes (relaxed SIMD) it is a half in either case.
// Rows lie in groups of R (1 or 4): quants i8 (groups, blocks, R, width, 32) or i16 (groups, blocks, R, 32), scales f32 (groups, blocks, R), sums f32 (groups,
// blocks, 2, R).

export function normalise(op: NormaliseOp, group: i32): void {
  const rowsPerGroup = op.rowsPerGroup
  for (let r = 0; r < rowsPerGroup; r++) {
    const row = group * rowsPerGroup + r
    // The last group may be short: what is computed for its empty rows is stored nowhere.
    if (row < op.numRows) normaliseRow(op, row, group, r)
  }
}

function normaliseRow(op: NormaliseOp, row: i32, group: i32, r: i32): void {
  const numColumns = op.numColumns
  const numBlocks = numColumns >> 5
  const x = op.input + <usize>row * op.inputStride
  const gain = op.gain
  const factor = gain != 0 ? inverseRms(x, numColumns, op.epsilon) : 1
  if (op.floats != 0) {
    const y = op.floats + (<usize>(row * numColumns) << 2)
    const end = <usize>numColumns << 2
    for (let i: usize = 0; i < end; i += 16) v128.store(y + i, scaled(x + i, gain, i, factor))
  }
  if (op.quants == 0) return
  const rowsPerGroup = op.rowsPerGroup
  const firstBlock = group * numBlocks
  for (let block = 0; block < numBlocks; block++) {
    const at = <usize>((firstBlock + block) * rowsPerGroup + r)
    const sums = op.sums + (<usize>((firstBlock + block) * 2 * rowsPerGroup + r) << 2)
    const column = <usize>block << 7
    quantiseBlock(
      x + column,
      gain != 0 ? gain + column : 0,
      factor,
      op.width == 2,
      op.quants + (at << 5) * (ASC_FEATURE_RELAXED_SIMD ? <usize>op.width : 2),
      op.scales + (at << 2),
      sums,
      <usize>rowsPerGroup << 2,
    )
  }
}

/** 1 / sqrt(mean(x^2) + epsilon) */
export function inverseRms(x: usize, numColumns: i32, epsilon: f32): f32 {
  let a = f32x4.splat(0)
  let b = f32x4.splat(0)
  const end = x + (<usize>numColumns << 2)
  const paired = x + (<usize>(numColumns >> 3) << 5)
  let p = x
  for (; p < paired; p += 32) {
    const v = v128.load(p)
    const w = v128.load(p, 16)
    a = madd(v, v, a)
    b = madd(w, w, b)
  }
  if (p < end) {
    const v = v128.load(p)
    a = madd(v, v, a)
  }
  return 1 / Mathf.sqrt(sumOfLanes(f32x4.add(a, b)) / <f32>numColumns + epsilon)
}

// @ts-ignore: decorator
@inline
function scaled(x: usize, gain: usize, offset: usize, factor: f32): v128 {
  const v = f32x4.mul(v128.load(x), f32x4.splat(factor))
  return gain != 0 ? f32x4.mul(v, v128.load(gain + offset)) : v
}

// @ts-ignore: decorator
@inline
function quantiseBlock(
  x: usize,
  gain: usize,
  factor: f32,
  isWide: bool,
  quants: usize,
  scale: usize,
  sums: usize,
  sumStride: usize,
): void {
  const v0 = scaled(x, gain, 0, factor)
  const v1 = scaled(x + 16, gain, 16, factor)
  const v2 = scaled(x + 32, gain, 32, factor)
  const v3 = scaled(x + 48, gain, 48, factor)
  const v4 = scaled(x + 64, gain, 64, factor)
  const v5 = scaled(x + 80, gain, 80, factor)
  const v6 = scaled(x + 96, gain, 96, factor)
  const v7 = scaled(x + 112, gain, 112, factor)
  let most = f32x4.pmax(
    f32x4.pmax(f32x4.pmax(f32x4.abs(v0), f32x4.abs(v1)), f32x4.pmax(f32x4.abs(v2), f32x4.abs(v3))),
    f32x4.pmax(f32x4.pmax(f32x4.abs(v4), f32x4.abs(v5)), f32x4.pmax(f32x4.abs(v6), f32x4.abs(v7))),
  )
  most = f32x4.pmax(most, i8x16.shuffle(most, most, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7))
  most = f32x4.pmax(most, i8x16.shuffle(most, most, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11))
  const greatest = f32x4.extract_lane(most, 0)
  const largest: f32 = isWide ? 127 * 128 : 127
  const step: f32 = greatest / largest
  const inverse = f32x4.splat(greatest > 0 ? largest / greatest : 0)
  const i0 = wholeNumbers(v0, inverse)
  const i1 = wholeNumbers(v1, inverse)
  const i2 = wholeNumbers(v2, inverse)
  const i3 = wholeNumbers(v3, inverse)
  const i4 = wholeNumbers(v4, inverse)
  const i5 = wholeNumbers(v5, inverse)
  const i6 = wholeNumbers(v6, inverse)
  const i7 = wholeNumbers(v7, inverse)
  const n0 = i16x8.narrow_i32x4_s(i0, i1)
  const n1 = i16x8.narrow_i32x4_s(i2, i3)
  const n2 = i16x8.narrow_i32x4_s(i4, i5)
  const n3 = i16x8.narrow_i32x4_s(i6, i7)
  if (!ASC_FEATURE_RELAXED_SIMD) {
    v128.store(quants, inPairs(n0))
    v128.store(quants, inPairs(n1), 16)
    v128.store(quants, inPairs(n2), 32)
    v128.store(quants, inPairs(n3), 48)
  } else if (isWide) {
    const h0 = highOf(n0)
    const h1 = highOf(n1)
    const h2 = highOf(n2)
    const h3 = highOf(n3)
    v128.store(quants, i8x16.narrow_i16x8_s(h0, h1))
    v128.store(quants, i8x16.narrow_i16x8_s(h2, h3), 16)
    v128.store(quants, i8x16.narrow_i16x8_s(lowOf(n0, h0), lowOf(n1, h1)), 32)
    v128.store(quants, i8x16.narrow_i16x8_s(lowOf(n2, h2), lowOf(n3, h3)), 48)
  } else {
    v128.store(quants, i8x16.narrow_i16x8_s(n0, n1))
    v128.store(quants, i8x16.narrow_i16x8_s(n2, n3), 16)
  }
  store<f32>(scale, step)
  store<f32>(sums, step * <f32>sumOfIntegers(i32x4.add(i32x4.add(i0, i1), i32x4.add(i2, i3))))
  store<f32>(sums + sumStride, step * <f32>sumOfIntegers(i32x4.add(i32x4.add(i4, i5), i32x4.add(i6, i7))))
}

/** Of four neighbours the first and the third, then the others: see linear_pairs.ts. */
// @ts-ignore: decorator
@inline
function inPairs(n: v128): v128 {
  return i8x16.shuffle(n, n, 0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15)
}

/** The nearest multiple of 128, over 128: -127 to 127. */
// @ts-ignore: decorator
@inline
function highOf(n: v128): v128 {
  return i16x8.shr_s(i16x8.add(n, i16x8.splat(64)), 7)
}

/** What is left: -64 to 63. */
// @ts-ignore: decorator
@inline
function lowOf(n: v128, high: v128): v128 {
  return i16x8.sub(n, i16x8.shl(high, 7))
}

// @ts-ignore: decorator
@inline
function sumOfIntegers(v: v128): i32 {
  return (
    i32x4.extract_lane(v, 0) + i32x4.extract_lane(v, 1) + (i32x4.extract_lane(v, 2) + i32x4.extract_lane(v, 3))
  )
}

export function postNorm(op: PostNormOp, row: i32): void {
  const numColumns = op.numColumns
  const x = op.input + <usize>row * op.inputStride
  const hidden = op.hidden + <usize>row * op.hiddenStride
  const factor = f32x4.splat(inverseRms(x, numColumns, op.epsilon) * op.scale)
  const end = <usize>numColumns << 2
  for (let i: usize = 0; i < end; i += 16) {
    const normed = f32x4.mul(f32x4.mul(v128.load(x + i), factor), v128.load(op.gain + i))
    v128.store(hidden + i, f32x4.add(v128.load(hidden + i), normed))
  }
}
