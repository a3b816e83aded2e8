// A model of random weights for tests of executors and kernels: small, and with sizes that are not multiples of much.

import { throwIfAborted } from '../../errors.ts'
import { type GgmlType, ggmlTypes } from '../../formats/ggml-types.ts'
import type { TensorInfo } from '../../formats/gguf.ts'
import type { GgufContents, WritableTensor } from '../../formats/gguf-writer.ts'
import { dequantise } from '../../quant/blocks.ts'
import { uniform } from '../sampling.ts'
import type { BlockSpec, TransformerSpec } from '../transformer-spec.ts'
import type { Weights } from '../weights.ts'

export interface TinyModelOptions {
  /** Of the matrices in the blocks. Types with blocks of 256 make a wider model. */
  readonly type?: GgmlType
  /** Of the embedding, and of the head where it is not tied. */
  readonly embeddingType?: GgmlType
  /** Of single matrices by the part of their name after "blk.N.", such as { 'attn_v.weight': 'Q6_K' }. */
  readonly typeOf?: Readonly<Record<string, GgmlType>>
  readonly tied?: boolean
  readonly numBlocks?: number
  readonly vocabSize?: number
  readonly contextLength?: number
  readonly seed?: number
  /** At most so many bytes a streamed piece, rounded to whole pairs of blocks. */
  readonly pieceBytes?: number
}

export interface TinyModel {
  readonly spec: TransformerSpec
  readonly weights: Weights
  /** The same model for `writeGguf`; a test that needs a tokenizer adds its metadata. */
  readonly contents: GgufContents
}

/** Three heads on one key-value head, hidden 96, MLP 160, vocabulary 131: or, in blocks of 256, eight on two, 256 and 512. */
export function tinyModel(options: TinyModelOptions = {}): TinyModel {
  const {
    type = 'Q4_1',
    embeddingType = 'Q8_0',
    tied = true,
    typeOf = {},
    seed = 1,
    pieceBytes = 4096,
  } = options
  const { numBlocks = 2, vocabSize = 131, contextLength = 200 } = options
  const types = [type, embeddingType, ...Object.values(typeOf)]
  const wide = types.some((type) => ggmlTypes[type].blockSize === 256)
  const headDim = 32
  const [numHeads, numKvHeads] = wide ? [8, 2] : [3, 1]
  const hiddenSize = numHeads * headDim
  const intermediateSize = wide ? 512 : 160
  const epsilon = 1e-5
  const theta = 10_000
  const random = randomNumbers(seed)

  const tensors: WritableTensor[] = []
  const matrix = (
    name: string,
    type: GgmlType,
    rows: number,
    columns: number,
    rms = 1 / Math.sqrt(columns),
  ) => {
    const bytes = randomBlocks(type, rows * columns, rms, random)
    tensors.push({ name, type, shape: [rows, columns], bytes })
    return { weight: name }
  }
  const norm = (name: string) => {
    const gain = Float32Array.from({ length: hiddenSize }, () => 0.75 + random() / 2)
    tensors.push({ name, type: 'F32', shape: [hiddenSize], bytes: new Uint8Array(gain.buffer) })
    return { weight: name, epsilon }
  }
  const inverseFrequencies = Float64Array.from(
    { length: headDim / 2 },
    (_, i) => theta ** ((-2 * i) / headDim),
  )

  const embedding = matrix('token_embd.weight', embeddingType, vocabSize, hiddenSize, 0.4)
  const blocks = Array.from({ length: numBlocks }, (_, index): BlockSpec => {
    const linear = (part: string, rows: number, columns: number) =>
      matrix(`blk.${index}.${part}.weight`, typeOf[`${part}.weight`] ?? type, rows, columns)
    return {
      attention: {
        norm: norm(`blk.${index}.attn_norm.weight`),
        numHeads,
        numKvHeads,
        headDim,
        scale: 1 / Math.sqrt(headDim),
        rope: { pairing: 'adjacent', dim: headDim, inverseFrequencies },
        query: linear('attn_q', numHeads * headDim, hiddenSize),
        key: linear('attn_k', numKvHeads * headDim, hiddenSize),
        value: linear('attn_v', numKvHeads * headDim, hiddenSize),
        output: linear('attn_output', hiddenSize, numHeads * headDim),
      },
      mlp: {
        norm: norm(`blk.${index}.ffn_norm.weight`),
        intermediateSize,
        activation: 'silu',
        gate: linear('ffn_gate', intermediateSize, hiddenSize),
        up: linear('ffn_up', intermediateSize, hiddenSize),
        down: linear('ffn_down', hiddenSize, intermediateSize),
      },
    }
  })
  const headNorm = norm('output_norm.weight')
  const head = tied ? embedding : matrix('output.weight', embeddingType, vocabSize, hiddenSize, 0.4)

  const metadata = {
    'general.architecture': 'llama',
    'general.name': 'Tiny',
    'llama.block_count': numBlocks,
    'llama.context_length': contextLength,
    'llama.embedding_length': hiddenSize,
    'llama.feed_forward_length': intermediateSize,
    'llama.attention.head_count': numHeads,
    'llama.attention.head_count_kv': numKvHeads,
    'llama.attention.layer_norm_rms_epsilon': epsilon,
    'llama.rope.freq_base': theta,
  }
  return {
    spec: {
      architecture: 'llama',
      hiddenSize,
      vocabSize,
      contextLength,
      embedding,
      blocks,
      head: { norm: headNorm, weight: head.weight },
    },
    weights: weightsInMemory(tensors, pieceBytes),
    contents: { metadata, tensors },
  }
}

/** The weights of tensors that are in memory, streamed in pieces of about `pieceBytes`. */
export function weightsInMemory(contents: readonly WritableTensor[], pieceBytes: number): Weights {
  const tensors = new Map<string, TensorInfo>()
  const bytesByName = new Map<string, Uint8Array>()
  let byteOffset = 0
  for (const { name, type, shape, bytes } of contents) {
    tensors.set(name, { name, type, shape, file: 0, byteOffset, byteLength: bytes.length })
    bytesByName.set(name, bytes)
    byteOffset += bytes.length
  }
  return {
    tensors,
    async read(name) {
      return new Uint8Array(bytesByName.get(name)!)
    },
    async *stream(signal) {
      for (const tensor of tensors.values()) {
        // An even number of blocks: two F16 values share a word of a plane.
        const step = 2 * ggmlTypes[tensor.type].blockBytes
        const length = Math.max(step, pieceBytes - (pieceBytes % step))
        const bytes = bytesByName.get(tensor.name)!
        for (let start = 0; start < bytes.length; start += length) {
          throwIfAborted(signal)
          yield { tensor, byteOffset: start, bytes: bytes.slice(start, start + length) }
        }
      }
    },
  }
}

/** Where a block has f16 scales, and by what the scale there is multiplied so that the block's mean is near zero. */
const scaleFields: Partial<Record<GgmlType, readonly (readonly [at: number, factor: number])[]>> = {
  Q4_0: [[0, 1]],
  Q4_1: [
    [0, 1],
    [2, -7.5],
  ],
  Q5_0: [[0, 1]],
  Q5_1: [
    [0, 1],
    [2, -15.5],
  ],
  Q8_0: [[0, 1]],
  Q2_K: [
    [80, 1],
    [82, 1.5],
  ],
  Q3_K: [[108, 1]],
  Q4_K: [
    [0, 1],
    [2, 7.5],
  ],
  Q5_K: [
    [0, 1],
    [2, 15.5],
  ],
  Q6_K: [[208, 1]],
  IQ4_NL: [[0, 1]],
  IQ4_XS: [[0, 1]],
}

/** Random blocks whose values have about the root mean square `rms`: random bytes, with scales that fit them. */
export function randomBlocks(type: GgmlType, count: number, rms: number, random: () => number): Uint8Array {
  const fields = scaleFields[type]
  if (fields === undefined) return randomFloats(type, count, rms, random)
  const { blockSize, blockBytes } = ggmlTypes[type]
  const blocks = Uint8Array.from({ length: (count / blockSize) * blockBytes }, () => random() * 256)
  const values = new Float64Array(blockSize)
  for (let at = 0; at < blocks.length; at += blockBytes) {
    const block = blocks.subarray(at, at + blockBytes)
    const writeScales = (scale: number) => {
      for (const [field, factor] of fields) {
        const bits = halfBits(scale * factor)
        block[field] = bits & 255
        block[field + 1] = bits >> 8
      }
    }
    writeScales(1)
    dequantise(type, block, values)
    const blockRms = Math.hypot(...values) / Math.sqrt(blockSize)
    writeScales((rms / blockRms) * (0.75 + random() / 2))
  }
  return blocks
}

function randomFloats(type: GgmlType, count: number, rms: number, random: () => number): Uint8Array {
  const values = Float32Array.from({ length: count }, () => (random() * 2 - 1) * Math.sqrt(3) * rms)
  if (type === 'F32') return new Uint8Array(values.buffer)
  const words = new Uint32Array(values.buffer)
  const halves = Uint16Array.from(values, (value, i) =>
    type === 'BF16' ? words[i]! >>> 16 : halfBits(value),
  )
  return new Uint8Array(halves.buffer)
}

/** The half nearest to `value`, which must be within its range. */
function halfBits(value: number): number {
  const sign = value < 0 ? 0x8000 : 0
  const magnitude = Math.abs(value)
  const exponent = Math.max(-14, Math.floor(Math.log2(magnitude)))
  const fraction = Math.round(magnitude * 2 ** (10 - exponent))
  // A fraction that rounds up to 2048 carries into the exponent, as addition does.
  return sign | (fraction + (exponent === -14 ? 0 : (exponent + 14) * 1024))
}

/** Uniform in (0, 1), the same numbers for the same seed. */
export function randomNumbers(seed: number): () => number {
  let index = 0
  return () => uniform(seed, 0, index++)
}
