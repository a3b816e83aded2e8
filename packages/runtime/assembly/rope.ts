import { HeadNormOp, RopeOp, Row } from './ops'
import { writePage } from './pages'
import { inverseRms } from './quantise'

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

/** Rows of a chunk: those that neighbours write to one cache line are mostly one thread's. */
const rowsPerChunk: i32 = 8

export function rope(op: RopeOp, chunk: i32): void {
  const end = min(op.numRows, (chunk + 1) * rowsPerChunk)
  for (let row = chunk * rowsPerChunk; row < end; row++) ropeRow(op, row)
}

function ropeRow(op: RopeOp, rowIndex: i32): void {
  const row = changetype<Row>(op.rows + (<usize>rowIndex << 4))
  const numTurned = op.numHeads + op.numKvHeads
  const headBytes = <usize>op.headDim << 2
  const first = op.qkv + <usize>rowIndex * op.qkvStride
  if (op.table != 0) {
    const angles = op.table + (<usize>(row.position * op.ropeDim) << 2)
    for (let head = 0; head < numTurned; head++) {
      turn(first + <usize>head * headBytes, angles, op.ropeDim, op.isHalf)
    }
  }
  const keys = first + <usize>op.numHeads * headBytes
  const values = first + <usize>numTurned * headBytes
  if (op.keyBytes == 2) writePage<i16>(op, row, keys, values)
  else writePage<f32>(op, row, keys, values)
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
