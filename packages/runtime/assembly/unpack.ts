import { loadHalves } from './dot'
import { Format, LinearOp } from './ops'

// A tile that many rows of activations are multiplied by is taken apart once: for each block of 32 columns 8 times 8 words
// of bytes, as linear_q8.ts has them, and apart from them the factors of each group of columns, 8 scales and 8 minimums as
// floats: a value is scale * byte + minimum.

export const bytesPerBlock: usize = 256
export const bytesPerGroup: usize = 64

/** Bytes that `unpack` writes at most. */
export function unpackedBytes(numColumns: i32): usize {
  return <usize>(numColumns >> 5) * (bytesPerBlock + 2 * bytesPerGroup)
}

/** @param factors address of f32 (blocks, groups of the block, 16) */
export function unpack(op: LinearOp, weights: usize, bytes: usize, factors: usize): void {
  const numBlocks = op.numColumns >> 5
  switch (op.format) {
    case Format.Q4Half:
      unpackQ4<u16>(weights, numBlocks, bytes, factors)
      return
    case Format.Q4Full:
      unpackQ4<f32>(weights, numBlocks, bytes, factors)
      return
    case Format.Q8Half:
      unpackQ8Half(weights, numBlocks, bytes, factors)
      return
    case Format.Q8Full16:
      unpackQ8Full(weights, numBlocks, 2, bytes, factors)
      return
    default:
      unpackQ8Full(weights, numBlocks, 1, bytes, factors)
  }
}

function unpackQ4<Scale>(weights: usize, numBlocks: i32, bytes: usize, factors: usize): void {
  const nibble = i8x16.splat(15)
  const perFour: usize = 4 * sizeof<Scale>()
  for (let block = 0; block < numBlocks; block++) {
    for (let i: usize = 0; i < 4; i++) {
      const at = weights + i * perFour
      v128.store(factors + (i << 4), sizeof<Scale>() == 2 ? loadHalves(at) : v128.load(at))
    }
    const words = weights + 4 * perFour
    for (let i: usize = 0; i < 128; i += 16) {
      const word = v128.load(words + i)
      v128.store(bytes + i, v128.and(word, nibble))
      v128.store(bytes + i, v128.and(i32x4.shr_u(word, 4), nibble), 128)
    }
    weights = words + 128
    bytes += bytesPerBlock
    factors += bytesPerGroup
  }
}

function unpackQ8Half(weights: usize, numBlocks: i32, bytes: usize, factors: usize): void {
  for (let block = 0; block < numBlocks; block++) {
    const low = loadHalves(weights)
    const high = loadHalves(weights + 8)
    v128.store(factors, low)
    v128.store(factors, high, 16)
    v128.store(factors, f32x4.mul(low, f32x4.splat(-128)), 32)
    v128.store(factors, f32x4.mul(high, f32x4.splat(-128)), 48)
    memory.copy(bytes, weights + 16, bytesPerBlock)
    weights += 16 + bytesPerBlock
    bytes += bytesPerBlock
    factors += bytesPerGroup
  }
}

function unpackQ8Full(weights: usize, numBlocks: i32, numGroups: usize, bytes: usize, factors: usize): void {
  const factorBytes = bytesPerGroup * numGroups
  for (let block = 0; block < numBlocks; block++) {
    memory.copy(factors, weights, factorBytes)
    memory.copy(bytes, weights + factorBytes, bytesPerBlock)
    weights += factorBytes + bytesPerBlock
    bytes += bytesPerBlock
    factors += factorBytes
  }
}
