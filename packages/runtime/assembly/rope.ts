import { HeadNormOp, RopeOp, Row } from './ops'
import { inverseRms } from './quantise'

/**
 * Tokens of a page. A layer's part of a page: keys f32 (numKvHeads, headDim, pageTokens), so that four positions are one
 * vector, then values f32 (numKvHeads, pageTokens, headDim).
 */
export const pageTokens: i32 = 64

export function headNorm(op: HeadNormOp, row: i32): void {
  const headDim = op.headDim
  for (let head = 0; head < op.numHeads; head++) {
    const x = op.input + <usize>row * op.inputStride + (<usize>(head * headDim) << 2)
    const factor = f32x4.splat(inverseRms(x, headDim, op.epsilon))
    const end = <usize>headDim << 2
    for (let i: usize = 0; i < end; i += 16) {
      v128.store(x + i, f32x4.mul(f32x4.mul(v128.load(x + i), factor), v128.load(op.gain + i)))
    }
  }
}

export function rope(op: RopeOp, rowIndex: i32): void {
  const row = changetype<Row>(op.rows + (<usize>rowIndex << 4))
  const headDim = op.headDim
  const numHeads = op.numHeads
  const numKvHeads = op.numKvHeads
  const headBytes = <usize>headDim << 2
  const first = op.qkv + <usize>rowIndex * op.qkvStride
  if (op.table != 0) {
    const angles = op.table + (<usize>(row.position * op.ropeDim) << 2)
    for (let head = 0; head < numHeads + numKvHeads; head++) {
      turn(first + <usize>head * headBytes, angles, op.ropeDim, op.isHalf)
    }
  }
  const page = <usize>load<u32>(row.pageTable + (<usize>(row.position / pageTokens) << 2)) + op.layerOffset
  const token = <usize>(row.position % pageTokens)
  const tokenBytes = <usize>pageTokens << 2
  const keys = first + <usize>numHeads * headBytes
  const values = keys + <usize>numKvHeads * headBytes
  const valuePages = page + <usize>(numKvHeads * headDim) * tokenBytes
  for (let head: usize = 0; head < <usize>numKvHeads; head++) {
    let to = page + head * headBytes * <usize>pageTokens + (token << 2)
    for (let i: usize = 0; i < headBytes; i += 4) {
      store<f32>(to, load<f32>(keys + head * headBytes + i))
      to += tokenBytes
    }
    memory.copy(
      valuePages + (head * <usize>pageTokens + token) * headBytes,
      values + head * headBytes,
      headBytes,
    )
  }
}

/** One head, in place. angles: (ropeDim / 2, 2), cosine and sine. Su et al. 2021, section 3.4.2. */
// @ts-ignore: decorator
@inline
function turn(x: usize, angles: usize, ropeDim: i32, isHalf: i32): void {
  const numPairs = ropeDim >> 1
  for (let pair = 0; pair < numPairs; pair++) {
    const cos = load<f32>(angles + (<usize>pair << 3))
    const sin = load<f32>(angles + (<usize>pair << 3), 4)
    const a = x + (<usize>(isHalf ? pair : 2 * pair) << 2)
    const b = x + (<usize>(isHalf ? pair + numPairs : 2 * pair + 1) << 2)
    const first = load<f32>(a)
    const second = load<f32>(b)
    store<f32>(a, first * cos - second * sin)
    store<f32>(b, first * sin + second * cos)
  }
}
