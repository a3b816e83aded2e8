import type { TensorInfo } from '../../formats/gguf.ts'
import { blockFormats, dequantise } from '../../quant/blocks.ts'
import type { TransformerSpec } from '../transformer-spec.ts'

/** The embedding in the file's own encoding, decoded a row at a time: a quarter or less of what it is in f32. */
export interface Embedding {
  readonly byteLength: number
  write(bytes: Uint8Array, byteOffset: number): void
  /** (tokens.length, hiddenSize), scaled as the description says */
  lookUp(tokens: Uint32Array): Float32Array
}

export function createEmbedding(
  { type, byteLength }: TensorInfo,
  { hiddenSize, embedding }: TransformerSpec,
): Embedding {
  const { scale = 1 } = embedding
  const blocks = new Uint8Array(byteLength)
  const { blockSize, blockBytes } = blockFormats[type]
  const rowBytes = (hiddenSize / blockSize) * blockBytes
  return {
    byteLength,
    write: (bytes, byteOffset) => blocks.set(bytes, byteOffset),
    lookUp(tokens) {
      const rows = new Float32Array(tokens.length * hiddenSize)
      for (const [row, token] of tokens.entries()) {
        const bytes = blocks.subarray(token * rowBytes, (token + 1) * rowBytes)
        dequantise(type, bytes, rows.subarray(row * hiddenSize, (row + 1) * hiddenSize))
      }
      return scale === 1 ? rows : rows.map((value) => value * scale)
    },
  }
}
