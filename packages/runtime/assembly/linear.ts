import { madd } from './dot'
import { geluTanh, silu } from './exp'
import { floatTile, fourFloatRows, halvesToFloats, toFloats } from './linear_float'
import { fourPairsRows, pairsTile } from './linear_pairs'
import { q4Tile } from './linear_q4'
import { q8Tile } from './linear_q8'
import { fourRows } from './linear_rows'
import { Epilogue, Format, LinearOp } from './ops'
import { scratch } from './scratch'
import { bytesPerBlock, unpack, unpackedBytes } from './unpack'

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
  const bytes = scratch + 128
  const factors = bytes + <usize>op.numColumns * (bytesPerBlock >> 5)
  const numBlocks = op.numColumns >> 5
  const numGroups = format == Format.Q8Full16 ? 2 : 1
  const isSplit = format > Format.Q4Full && !op.takesBytes
  const numRows = op.numRows
  for (let tile = first; tile < last; tile++) {
    const weights = op.weights + <usize>tile * tileBytes
    if (isFloat) {
      floatRows(op, tile, weights, bytes, factors, accumulators)
    } else if (op.rowsPerGroup == 1) {
      for (let row = 0; row < numRows; row++) {
        if (!ASC_FEATURE_RELAXED_SIMD) pairsTile(op, weights, row, accumulators)
        else if (format <= Format.Q4Full) q4Tile(op, weights, row, accumulators)
        else q8Tile(op, weights, row, accumulators)
        finish(op, tile, row, accumulators)
      }
    } else {
      unpack(op, weights, bytes, factors)
      for (let row = 0; row < numRows; row += 4) {
        const block = <usize>((row >> 2) * numBlocks)
        const quants = op.quants + (block << 7) * bytesOfActivation(op)
        const scales = op.scales + (block << 4)
        const sums = op.sums + (block << 5)
        if (!ASC_FEATURE_RELAXED_SIMD) fourPairsRows(numBlocks, numGroups, bytes, factors, quants, scales, sums, accumulators)
        else fourRows(numBlocks, numGroups, isSplit, op.width == 2, bytes, factors, quants, scales, sums, accumulators)
        const end = min(row + 4, numRows)
        for (let r = row; r < end; r++) finish(op, tile, r, accumulators + (<usize>(r - row) << 5))
      }
    }
  }
}

/** Without products of bytes activations are halves in any case: quantise.ts. */
// @ts-ignore: decorator
@inline
function bytesOfActivation(op: LinearOp): usize {
  return ASC_FEATURE_RELAXED_SIMD ? <usize>op.width : 2
}

/** Four rows at a time where there are as many: their tile is made floats first, once. */
function floatRows(
  op: LinearOp,
  tile: i32,
  weights: usize,
  bytes: usize,
  factors: usize,
  accumulators: usize,
): void {
  const format = op.format
  const numColumns = op.numColumns
  const isQuantised = format < Format.F16
  if (isQuantised) unpack(op, weights, bytes, factors)
  let row = 0
  if (op.numRows >= 4) {
    let floats = weights
    if (format != Format.F32) {
      floats = bytes + unpackedBytes(numColumns)
      if (isQuantised) toFloats(op, bytes, factors, floats)
      else halvesToFloats(weights, numColumns, floats)
    }
    const stride = <usize>numColumns << 2
    for (; row + 4 <= op.numRows; row += 4) {
      fourFloatRows(floats, op.floats + <usize>row * stride, stride, numColumns, accumulators)
      for (let r = 0; r < 4; r++) finish(op, tile, row + r, accumulators + (<usize>r << 5))
    }
  }
  for (; row < op.numRows; row++) {
    floatTile(op, isQuantised ? bytes : weights, row, accumulators)
    finish(op, tile, row, accumulators)
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
