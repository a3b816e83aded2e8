import { blockBytes } from './linear'
import { EmbedOp, Format } from './ops'

/** output[row] = scale * table[token]: one row out of a tile of 8. */
export function embed(op: EmbedOp, row: i32): void {
  const token = load<i32>(op.tokens + (<usize>row << 2))
  const numColumns = op.numColumns
  const format = op.format
  const perBlock = blockBytes(format)
  const lane = <usize>(token & 7)
  let w = op.weights + ((perBlock * <usize>numColumns) >> 5) * <usize>(token >> 3)
  let y = op.output + <usize>row * op.outputStride
  for (let column = 0; column < numColumns; column++) {
    store<f32>(y, op.scale * weightAt(format, w, lane, column & 31))
    y += 4
    if ((column & 31) == 31) w += perBlock
  }
}

/** One weight of a block: row `lane` of its tile. */
function weightAt(format: i32, w: usize, lane: usize, column: i32): f32 {
  switch (format) {
    case Format.F32:
      return load<f32>(w + (<usize>column << 5) + (lane << 2))
    case Format.F16:
      return half(load<u16>(w + (<usize>column << 4) + (lane << 1)))
    case Format.Q4Half: {
      const q = nibbleAt(w + 32, lane, column)
      return half(load<u16>(w + (lane << 1))) * <f32>q + half(load<u16>(w + 16 + (lane << 1)))
    }
    case Format.Q4Full: {
      const q = nibbleAt(w + 64, lane, column)
      return load<f32>(w + (lane << 2)) * <f32>q + load<f32>(w + 32 + (lane << 2))
    }
    case Format.Q8Half:
      return half(load<u16>(w + (lane << 1))) * <f32>(byteAt(w + 16, lane, column) - 128)
    case Format.Q8Full32:
      return load<f32>(w + (lane << 2)) * <f32>byteAt(w + 64, lane, column) + load<f32>(w + 32 + (lane << 2))
    default: {
      const group = w + (column >= 16 ? 64 : 0) + (lane << 2)
      return load<f32>(group) * <f32>byteAt(w + 128, lane, column) + load<f32>(group + 32)
    }
  }
}

// @ts-ignore: decorator
@inline
function nibbleAt(words: usize, lane: usize, column: i32): i32 {
  const word = load<u32>(words + (<usize>((column & 15) >> 2) << 5) + (lane << 2))
  return (word >> (((column & 3) << 3) + (column >= 16 ? 4 : 0))) & 15
}

// @ts-ignore: decorator
@inline
function byteAt(words: usize, lane: usize, column: i32): i32 {
  return load<u8>(words + (<usize>(column >> 2) << 5) + (lane << 2) + <usize>(column & 3))
}

/** A finite half as a float: see loadHalves. */
// @ts-ignore: decorator
@inline
function half(bits: u32): f32 {
  const widened = ((bits & 0x8000) << 16) | ((bits & 0x7fff) << 13)
  return reinterpret<f32>(widened) * 5192296858534827628530496329220096.0
}
