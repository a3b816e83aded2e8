// Models of random weights in the shapes of real ones: for measuring a device without a model file.

import { throwIfAborted } from '../errors.ts'
import { type GgmlType, ggmlTypes } from '../formats/ggml-types.ts'
import type { TensorInfo } from '../formats/gguf.ts'
import { randomBlocks, randomNumbers } from './reference/tiny-model.ts'
import type { BlockSpec, TransformerSpec } from './transformer-spec.ts'
import type { Weights } from './weights.ts'

export interface ModelShape {
  readonly hiddenSize: number
  readonly numBlocks: number
  readonly numHeads: number
  readonly numKvHeads: number
  readonly headDim: number
  readonly intermediateSize: number
  readonly vocabSize: number
  readonly tied: boolean
}

/** SmolLM2 135M, Qwen 2.5 0.5B, Llama 3.2 1B and 3B, Llama 3.1 8B: the sizes of their config.json. */
export const modelShapes = {
  '135M': shape(576, 30, 9, 3, 64, 1536, 49_152),
  '0.5B': shape(896, 24, 14, 2, 64, 4864, 151_936),
  '1B': shape(2048, 16, 32, 8, 64, 8192, 128_256),
  '3B': shape(3072, 28, 24, 8, 128, 8192, 128_256),
  '8B': { ...shape(4096, 32, 32, 8, 128, 14_336, 128_256), tied: false },
} as const satisfies Record<string, ModelShape>

function shape(
  hiddenSize: number,
  numBlocks: number,
  numHeads: number,
  numKvHeads: number,
  headDim: number,
  intermediateSize: number,
  vocabSize: number,
): ModelShape {
  return { hiddenSize, numBlocks, numHeads, numKvHeads, headDim, intermediateSize, vocabSize, tied: true }
}

/** Bytes of a streamed piece: the heap holds one of each encoding, however large the model. */
const pieceBytes = 1 << 20

/** A llama of this shape with Q4_0 matrices and a Q8_0 embedding and head. All pieces of an encoding are the same numbers. */
export function randomModel(shape: ModelShape): { spec: TransformerSpec; weights: Weights } {
  const { hiddenSize, numBlocks, numHeads, numKvHeads, headDim, intermediateSize, vocabSize } = shape
  const tensors = new Map<string, TensorInfo>()
  let byteOffset = 0
  const add = (name: string, type: GgmlType, shape: readonly number[]) => {
    const { blockSize, blockBytes } = ggmlTypes[type]
    const byteLength = (shape.reduce((product, size) => product * size, 1) / blockSize) * blockBytes
    tensors.set(name, { name, type, shape, file: 0, byteOffset, byteLength })
    byteOffset += byteLength
    return { weight: name }
  }
  const norm = (name: string) => ({ ...add(name, 'F32', [hiddenSize]), epsilon: 1e-5 })
  const inverseFrequencies = Float64Array.from({ length: headDim / 2 }, (_, i) => 1e4 ** ((-2 * i) / headDim))
  const embedding = add('token_embd.weight', 'Q8_0', [vocabSize, hiddenSize])
  const blocks = Array.from({ length: numBlocks }, (_, index): BlockSpec => {
    const linear = (part: string, rows: number, columns: number) =>
      add(`blk.${index}.${part}.weight`, 'Q4_0', [rows, columns])
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
  const head = shape.tied ? embedding : add('output.weight', 'Q8_0', [vocabSize, hiddenSize])
  return {
    spec: {
      architecture: 'llama',
      hiddenSize,
      vocabSize,
      contextLength: 4096,
      embedding,
      blocks,
      head: { norm: headNorm, weight: head.weight },
    },
    weights: repeatedWeights(tensors, 1 / Math.sqrt(hiddenSize)),
  }
}

function repeatedWeights(tensors: ReadonlyMap<string, TensorInfo>, rms: number): Weights {
  const random = randomNumbers(1)
  const templates = new Map<GgmlType, Uint8Array>()
  const templateOf = (type: GgmlType) => {
    const { blockSize, blockBytes } = ggmlTypes[type]
    const numBlocks = 2 * Math.floor(pieceBytes / blockBytes / 2)
    const template = templates.get(type) ?? randomBlocks(type, numBlocks * blockSize, rms, random)
    templates.set(type, template)
    return template
  }
  const ones = (byteLength: number) => new Uint8Array(new Float32Array(byteLength / 4).fill(1).buffer)
  return {
    tensors,
    read: async (name) => ones(tensors.get(name)!.byteLength),
    async *stream(signal) {
      for (const tensor of tensors.values()) {
        const template = tensor.type === 'F32' ? ones(tensor.byteLength) : templateOf(tensor.type)
        for (let byteOffset = 0; byteOffset < tensor.byteLength; byteOffset += template.length) {
          throwIfAborted(signal)
          yield { tensor, byteOffset, bytes: template.subarray(0, tensor.byteLength - byteOffset) }
        }
      }
    },
  }
}
