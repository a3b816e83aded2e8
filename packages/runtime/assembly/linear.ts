import { madd } from './dot'
import { geluTanh, silu } from './exp'
import { floatTile } from './linear_float'
import { q4Tile, q4Tile4 } from './linear_q4'
import { q8Tile, q8Tile4 } from './linear_q8'
import { Epilogue, Format, LinearOp } from './ops'
import { scratch } from './scratch'

/** Bytes of a tile of 8 rows for each block of 32 columns. */
export function blockBytes(format: i32): usize {
  switch (format) {
    case Format.Q4Half:
      return 160
    case Format.Q4Full:
      return 192
    case Format.Q8Half:
      return 272
    case Format.Q8Full32:
      return 320
    case Format.Q8Full16:
      return 384
    case Format.F16:
      return 512
    default:
      return 1024
  }
}

/** Tiles [first, last) for all rows. */
export function linear(op: LinearOp, first: i32, last: i32): void {
  const format = op.format
  const tileBytes = (blockBytes(format) * <usize>op.numColumns) >> 5
  const isFloat = op.quants == 0
  // Eight values of up to four rows.
  const accumulators = scratch
  const numRows = op.numRows
  for (let tile = first; tile < last; tile++) {
    const weights = op.weights + <usize>tile * tileBytes
    if (isFloat) {
      for (let row = 0; row < numRows; row++) {
        floatTile(op, weights, row, accumulators)
        finish(op, tile, row, accumulators)
      }
    } else if (op.rowsPerGroup == 1) {
      for (let row = 0; row < numRows; row++) {
        if (format <= Format.Q4Full) q4Tile(op, weights, row, accumulators)
        else q8Tile(op, weights, row, accumulators)
        finish(op, tile, row, accumulators)
      }
    } else {
      for (let row = 0; row < numRows; row += 4) {
        if (format <= Format.Q4Full) q4Tile4(op, weights, row >> 2, accumulators)
        else q8Tile4(op, weights, row >> 2, accumulators)
        const end = min(row + 4, numRows)
        for (let r = row; r < end; r++) finish(op, tile, r, accumulators + (<usize>(r - row) << 5))
      }
    }
  }
}

/** Writes the 8 values at `from` where they belong: lanes are rows of the tile. */
// @ts-ignore: decorator
@inline
function finish(op: LinearOp, tile: i32, row: i32, from: usize): void {
  let low = v128.load(from)
  let high = v128.load(from, 16)
  if (op.bias != 0) {
    low = f32x4.add(low, v128.load(op.bias + (<usize>tile << 5)))
    high = f32x4.add(high, v128.load(op.bias + (<usize>tile << 5), 16))
  }
  const output = op.output + <usize>row * op.outputStride
  const epilogue = op.epilogue
  if (epilogue >= Epilogue.SiluMul) {
    const active = epilogue == Epilogue.SiluMul ? silu(low) : geluTanh(low)
    v128.store(output + (<usize>tile << 4), f32x4.mul(active, high))
    return
  }
  const scale = f32x4.splat(op.scale)
  const at = output + (<usize>tile << 5)
  if (epilogue == Epilogue.Add) {
    v128.store(at, madd(low, scale, v128.load(at)))
    v128.store(at, madd(high, scale, v128.load(at, 16)), 16)
  } else {
    v128.store(at, f32x4.mul(low, scale))
    v128.store(at, f32x4.mul(high, scale), 16)
  }
}
