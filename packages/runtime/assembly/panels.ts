import { madd } from './dot'
import { pageTokens, panelWidth } from './pages'

/**
 * y = x panel: x f32 in tiles of rows (numRows / 4, count, rows of the tile), panel T (count, 8), y f32 (numRows, 8).
 */
export function scorePanel<T>(numRows: i32, count: i32, x: usize, panel: usize, y: usize, yStride: usize): void {
  while (numRows > 0) {
    const rows = rowsOfTile(numRows)
    if (rows == 4) tile<T>(4, count, x, 4, 16, panel, y, yStride, 0)
    else if (rows == 3) tile<T>(3, count, x, 4, 12, panel, y, yStride, 0)
    else if (rows == 2) tile<T>(2, count, x, 4, 8, panel, y, yStride, 0)
    else tile<T>(1, count, x, 4, 4, panel, y, yStride, 0)
    numRows -= rows
    x += <usize>(rows * count) << 2
    y += <usize>rows * yStride
  }
}

/**
 * y = before * y + x panel: x f32 (numRows, count), rows of a page's tokens apart.
 * @param before address of each row's factor, a y's stride apart
 */
export function addPanel<T>(
  numRows: i32,
  count: i32,
  x: usize,
  panel: usize,
  y: usize,
  yStride: usize,
  before: usize,
): void {
  const stride: usize = <usize>pageTokens << 2
  while (numRows > 0) {
    const rows = rowsOfTile(numRows)
    if (rows == 4) tile<T>(4, count, x, stride, 4, panel, y, yStride, before)
    else if (rows == 3) tile<T>(3, count, x, stride, 4, panel, y, yStride, before)
    else if (rows == 2) tile<T>(2, count, x, stride, 4, panel, y, yStride, before)
    else tile<T>(1, count, x, stride, 4, panel, y, yStride, before)
    numRows -= rows
    x += <usize>rows * stride
    y += <usize>rows * yStride
    before += <usize>rows * yStride
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
function tile<T>(
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
      const a = loadLanes<T>(panel, 0)
      const b = loadLanes<T>(panel, 1)
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
      const c = loadLanes<T>(panel, 2)
      const d = loadLanes<T>(panel, 3)
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
      panel += <usize>(2 * panelWidth) * sizeof<T>()
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
    const a = loadLanes<T>(panel, 0)
    const b = loadLanes<T>(panel, 1)
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
    panel += <usize>panelWidth * sizeof<T>()
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

/** Half of a panel's row, as floats. */
// @ts-ignore: decorator
@inline
function loadLanes<T>(at: usize, half: usize): v128 {
  if (sizeof<T>() == 4) return v128.load(at + half * 16)
  return f32x4.convert_i32x4_s(v128.load_ext<i16>(at + half * 8))
}
