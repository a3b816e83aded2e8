import { loadHalves, madd } from './dot'
import { Format, LinearOp } from './ops'

/** One row of float activations by 8 rows of weights, of every format; 8 floats at `to`. */
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
    default:
      quantisedRow(op.format, weights, x, end, to)
  }
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

/** Where activations are to stay exact: the weights of a block are decoded column by column. */
function quantisedRow(format: i32, weights: usize, x: usize, end: usize, to: usize): void {
  let low = f32x4.splat(0)
  let high = f32x4.splat(0)
  let w = weights
  for (; x < end; x += 128) {
    const isQ4 = format <= Format.Q4Full
    const factorBytes = factorBytesOf(format)
    for (let column = 0; column < 32; column++) {
      const value = v128.load32_splat(x + (<usize>column << 2))
      const word = isQ4 ? (column & 15) >> 2 : column >> 2
      const bits = ((column & 3) << 3) + (isQ4 && column >= 16 ? 4 : 0)
      const mask = i32x4.splat(isQ4 ? 15 : 255)
      const words = w + factorBytes + (<usize>word << 5)
      const q0 = f32x4.convert_i32x4_u(v128.and(i32x4.shr_u(v128.load(words), bits), mask))
      const q1 = f32x4.convert_i32x4_u(v128.and(i32x4.shr_u(v128.load(words, 16), bits), mask))
      low = madd(value, valueOf(format, w, 0, column, q0), low)
      high = madd(value, valueOf(format, w, 1, column, q1), high)
    }
    w += factorBytes + (isQ4 ? 128 : 256)
  }
  v128.store(to, low)
  v128.store(to, high, 16)
}

function factorBytesOf(format: i32): usize {
  switch (format) {
    case Format.Q4Half:
      return 32
    case Format.Q8Half:
      return 16
    case Format.Q8Full16:
      return 128
    default:
      return 64
  }
}

/** scale * q + minimum for four rows. */
function valueOf(format: i32, w: usize, half: usize, column: i32, q: v128): v128 {
  const shift = half << 4
  switch (format) {
    case Format.Q4Half:
      return f32x4.add(f32x4.mul(loadHalves(w + (half << 3)), q), loadHalves(w + 16 + (half << 3)))
    case Format.Q8Half:
      return f32x4.mul(loadHalves(w + (half << 3)), f32x4.sub(q, f32x4.splat(128)))
    case Format.Q8Full16: {
      const group = w + (column >= 16 ? 64 : 0) + shift
      return f32x4.add(f32x4.mul(v128.load(group), q), v128.load(group + 32))
    }
    default:
      return f32x4.add(f32x4.mul(v128.load(w + shift), q), v128.load(w + 32 + shift))
  }
}
