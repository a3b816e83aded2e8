import { madd } from './dot'
import { pageTokens, panelWidth } from './pages'

/**
 * y = x panel: x T in tiles of rows (numRows / 4, count, rows of the tile), panel T (count, 8), y f32 (numRows, 8), or i32 where
 * numbers are whole. Whole numbers go in pairs: see pages.ts.
 */
export function scorePanel<T>(numRows: i32, count: i32, x: usize, panel: usize, y: usize, yStride: usize): void {
  const words = sizeof<T>() == 2 ? count >> 1 : count
  while (numRows > 0) {
    const rows = rowsOfTile(numRows)
    if (sizeof<T>() == 2) {
      if (rows == 4) wholeTile(4, words, x, 4, 16, panel, y, yStride, 0)
      else if (rows == 3) wholeTile(3, words, x, 4, 12, panel, y, yStride, 0)
      else if (rows == 2) wholeTile(2, words, x, 4, 8, panel, y, yStride, 0)
      else wholeTile(1, words, x, 4, 4, panel, y, yStride, 0)
    } else {
      if (rows == 4) tile(4, words, x, 4, 16, panel, y, yStride, 0)
      else if (rows == 3) tile(3, words, x, 4, 12, panel, y, yStride, 0)
      else if (rows == 2) tile(2, words, x, 4, 8, panel, y, yStride, 0)
      else tile(1, words, x, 4, 4, panel, y, yStride, 0)
    }
    numRows -= rows
    x += <usize>(rows * words) << 2
    y += <usize>rows * yStride
  }
}

/**
 * y = before * y + x panel, or + step * x panel where numbers are whole: x T (numRows, count), rows pageTokens words apart.
 * @param factors address of each row's `before`, and of its `step` behind it, a y's stride apart
 */
export function addPanel<T>(numRows: i32, count: i32, x: usize, panel: usize, y: usize, yStride: usize, factors: usize): void {
  const stride: usize = <usize>pageTokens << 2
  const words = sizeof<T>() == 2 ? count >> 1 : count
  while (numRows > 0) {
    const rows = rowsOfTile(numRows)
    if (sizeof<T>() == 2) {
      if (rows == 4) wholeTile(4, words, x, stride, 4, panel, y, yStride, factors)
      else if (rows == 3) wholeTile(3, words, x, stride, 4, panel, y, yStride, factors)
      else if (rows == 2) wholeTile(2, words, x, stride, 4, panel, y, yStride, factors)
      else wholeTile(1, words, x, stride, 4, panel, y, yStride, factors)
    } else {
      if (rows == 4) tile(4, words, x, stride, 4, panel, y, yStride, factors)
      else if (rows == 3) tile(3, words, x, stride, 4, panel, y, yStride, factors)
      else if (rows == 2) tile(2, words, x, stride, 4, panel, y, yStride, factors)
      else tile(1, words, x, stride, 4, panel, y, yStride, factors)
    }
    numRows -= rows
    x += <usize>rows * stride
    y += <usize>rows * yStride
    factors += <usize>rows * yStride
  }
}

/** Of those that are left; one by itself, whose sums wait for one another, only where there is no other. */
// @ts-ignore: decorator
@inline
export function rowsOfTile(rowsLeft: i32): i32 {
  return rowsLeft == 5 || rowsLeft == 6 || rowsLeft == 9 ? 3 : min(rowsLeft, 4)
}

/** @param xRow bytes from a row of x to the next; `xStep` from a column to the next: constants, as `rows` */
// @ts-ignore: decorator
@inline
function tile(
  rows: i32,
  count: i32,
  x: usize,
  xRow: usize,
  xStep: usize,
  panel: usize,
  y: usize,
  yStride: usize,
  before: usize,
): void {
  const y1 = y + yStride
  const y2 = y1 + yStride
  const y3 = y2 + yStride
  let a0 = f32x4.splat(0)
  let b0 = a0
  let a1 = a0
  let b1 = a0
  let a2 = a0
  let b2 = a0
  let a3 = a0
  let b3 = a0
  if (before != 0) {
    const c0 = v128.load32_splat(before)
    a0 = f32x4.mul(c0, v128.load(y))
    b0 = f32x4.mul(c0, v128.load(y, 16))
    if (rows > 1) {
      const c1 = v128.load32_splat(before + yStride)
      a1 = f32x4.mul(c1, v128.load(y1))
      b1 = f32x4.mul(c1, v128.load(y1, 16))
    }
    if (rows > 2) {
      const c2 = v128.load32_splat(before + 2 * yStride)
      a2 = f32x4.mul(c2, v128.load(y2))
      b2 = f32x4.mul(c2, v128.load(y2, 16))
    }
    if (rows > 3) {
      const c3 = v128.load32_splat(before + 3 * yStride)
      a3 = f32x4.mul(c3, v128.load(y3))
      b3 = f32x4.mul(c3, v128.load(y3, 16))
    }
  }
  const end = x + <usize>count * xStep
  // Two columns at a time where sums are few and would wait for one another: a tenth of a decode step's attention.
  if (rows < 4) {
    let c0 = f32x4.splat(0)
    let d0 = c0
    let c1 = c0
    let d1 = c0
    let c2 = c0
    let d2 = c0
    for (; x + xStep < end; x += 2 * xStep) {
      const a = v128.load(panel)
      const b = v128.load(panel, 16)
      const s0 = v128.load32_splat(x)
      a0 = madd(s0, a, a0)
      b0 = madd(s0, b, b0)
      if (rows > 1) {
        const s1 = v128.load32_splat(x + xRow)
        a1 = madd(s1, a, a1)
        b1 = madd(s1, b, b1)
      }
      if (rows > 2) {
        const s2 = v128.load32_splat(x + 2 * xRow)
        a2 = madd(s2, a, a2)
        b2 = madd(s2, b, b2)
      }
      const c = v128.load(panel, 32)
      const d = v128.load(panel, 48)
      const t0 = v128.load32_splat(x + xStep)
      c0 = madd(t0, c, c0)
      d0 = madd(t0, d, d0)
      if (rows > 1) {
        const t1 = v128.load32_splat(x + xRow + xStep)
        c1 = madd(t1, c, c1)
        d1 = madd(t1, d, d1)
      }
      if (rows > 2) {
        const t2 = v128.load32_splat(x + 2 * xRow + xStep)
        c2 = madd(t2, c, c2)
        d2 = madd(t2, d, d2)
      }
      panel += <usize>(2 * panelWidth) << 2
    }
    a0 = f32x4.add(a0, c0)
    b0 = f32x4.add(b0, d0)
    if (rows > 1) {
      a1 = f32x4.add(a1, c1)
      b1 = f32x4.add(b1, d1)
    }
    if (rows > 2) {
      a2 = f32x4.add(a2, c2)
      b2 = f32x4.add(b2, d2)
    }
  }
  for (; x < end; x += xStep) {
    const a = v128.load(panel)
    const b = v128.load(panel, 16)
    const s0 = v128.load32_splat(x)
    a0 = madd(s0, a, a0)
    b0 = madd(s0, b, b0)
    if (rows > 1) {
      const s1 = v128.load32_splat(x + xRow)
      a1 = madd(s1, a, a1)
      b1 = madd(s1, b, b1)
    }
    if (rows > 2) {
      const s2 = v128.load32_splat(x + 2 * xRow)
      a2 = madd(s2, a, a2)
      b2 = madd(s2, b, b2)
    }
    if (rows > 3) {
      const s3 = v128.load32_splat(x + 3 * xRow)
      a3 = madd(s3, a, a3)
      b3 = madd(s3, b, b3)
    }
    panel += <usize>panelWidth << 2
  }
  v128.store(y, a0)
  v128.store(y, b0, 16)
  if (rows > 1) {
    v128.store(y1, a1)
    v128.store(y1, b1, 16)
  }
  if (rows > 2) {
    v128.store(y2, a2)
    v128.store(y2, b2, 16)
  }
  if (rows > 3) {
    v128.store(y3, a3)
    v128.store(y3, b3, 16)
  }
}

/** The same of whole numbers in pairs: half the loads and half the instructions. */
// @ts-ignore: decorator
@inline
function wholeTile(
  rows: i32,
  count: i32,
  x: usize,
  xRow: usize,
  xStep: usize,
  panel: usize,
  y: usize,
  yStride: usize,
  factors: usize,
): void {
  let a0 = i32x4.splat(0)
  let b0 = a0
  let a1 = a0
  let b1 = a0
  let a2 = a0
  let b2 = a0
  let a3 = a0
  let b3 = a0
  const end = x + <usize>count * xStep
  for (; x < end; x += xStep) {
    const a = v128.load(panel)
    const b = v128.load(panel, 16)
    const s0 = v128.load32_splat(x)
    a0 = i32x4.add(a0, i32x4.dot_i16x8_s(s0, a))
    b0 = i32x4.add(b0, i32x4.dot_i16x8_s(s0, b))
    if (rows > 1) {
      const s1 = v128.load32_splat(x + xRow)
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(s1, a))
      b1 = i32x4.add(b1, i32x4.dot_i16x8_s(s1, b))
    }
    if (rows > 2) {
      const s2 = v128.load32_splat(x + 2 * xRow)
      a2 = i32x4.add(a2, i32x4.dot_i16x8_s(s2, a))
      b2 = i32x4.add(b2, i32x4.dot_i16x8_s(s2, b))
    }
    if (rows > 3) {
      const s3 = v128.load32_splat(x + 3 * xRow)
      a3 = i32x4.add(a3, i32x4.dot_i16x8_s(s3, a))
      b3 = i32x4.add(b3, i32x4.dot_i16x8_s(s3, b))
    }
    panel += <usize>panelWidth << 2
  }
  storeSums(a0, b0, y, factors)
  if (rows > 1) storeSums(a1, b1, y + yStride, factors != 0 ? factors + yStride : 0)
  if (rows > 2) storeSums(a2, b2, y + 2 * yStride, factors != 0 ? factors + 2 * yStride : 0)
  if (rows > 3) storeSums(a3, b3, y + 3 * yStride, factors != 0 ? factors + 3 * yStride : 0)
}

// @ts-ignore: decorator
@inline
function storeSums(a: v128, b: v128, y: usize, factors: usize): void {
  if (factors == 0) {
    v128.store(y, a)
    v128.store(y, b, 16)
    return
  }
  const before = v128.load32_splat(factors)
  const step = v128.load32_splat(factors, 4)
  v128.store(y, f32x4.add(f32x4.mul(before, v128.load(y)), f32x4.mul(step, f32x4.convert_i32x4_s(a))))
  v128.store(y, f32x4.add(f32x4.mul(before, v128.load(y, 16)), f32x4.mul(step, f32x4.convert_i32x4_s(b))), 16)
}
