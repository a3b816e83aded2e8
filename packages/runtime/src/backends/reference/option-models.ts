// Random models for tests of executors: one for each option of a description, and one with all of them at once.

import type { GgmlType } from '../../formats/ggml-types.ts'
import type { WritableTensor } from '../../formats/gguf-writer.ts'
import type {
  AttentionSpec,
  BlockSpec,
  EmbeddingSpec,
  HeadSpec,
  LinearSpec,
  MlpSpec,
  ResidualPart,
  RopeSpec,
  TransformerSpec,
} from '../transformer-spec.ts'
import type { Weights } from '../weights.ts'
import { randomBlocks, randomNumbers, weightsInMemory } from './tiny-model.ts'

export interface OptionModel {
  readonly spec: TransformerSpec
  readonly weights: Weights
}

/** What differs from a plain llama of odd sizes. Functions are of a block's index. */
export interface ModelOptions {
  readonly hiddenSize?: number
  readonly intermediateSize?: number
  readonly numHeads?: number
  readonly numKvHeads?: number
  readonly headDim?: number
  readonly numBlocks?: number
  readonly vocabSize?: number
  /** By the part of a tensor's name after "blk.N.", or by its whole name; F32 unless it is here. */
  readonly types?: Readonly<Record<string, GgmlType>>
  readonly tied?: boolean
  readonly embedding?: Omit<EmbeddingSpec, 'weight'>
  readonly head?: Omit<HeadSpec, 'norm' | 'weight'>
  readonly norms?: 'pre' | 'post' | 'both'
  readonly residualScale?: number
  /** Which linears have a bias: those of queries, keys and values, or all. */
  readonly biases?: 'qkv' | 'all'
  /** Queries, keys and values are rows of one tensor; gate and up are rows of another. */
  readonly fused?: boolean
  readonly headNorm?: 'head' | 'all'
  readonly attention?: (index: number) => Partial<Pick<AttentionSpec, 'scale' | 'softCap' | 'window'>>
  /** Undefined where a block has no positions. */
  readonly rope?: (index: number) => RopeSpec | undefined
  readonly activation?: MlpSpec['activation']
}

/** Longer than the prompts of tests. */
const contextLength = 320

export function optionModel(options: ModelOptions): OptionModel {
  const { hiddenSize = 72, intermediateSize = 136, numHeads = 4, numKvHeads = 2, headDim = 36 } = options
  const { numBlocks = 2, vocabSize = 131, types = {}, tied = true, norms = 'pre', fused = false } = options
  const random = randomNumbers(7)
  const plainRope = ropeOf({ dim: headDim })
  const tensors: WritableTensor[] = []

  function tensor(name: string, shape: readonly number[], rms: number): { weight: string } {
    const type = types[name] ?? types[name.replace(/^blk\.\d+\./, '')] ?? 'F32'
    const count = shape.reduce((product, length) => product * length, 1)
    tensors.push({ name, type, shape, bytes: randomBlocks(type, count, rms, random) })
    return { weight: name }
  }
  function norm(name: string, size = hiddenSize) {
    const gain = Float32Array.from({ length: size }, () => 0.5 + random())
    tensors.push({ name, type: 'F32', shape: [size], bytes: new Uint8Array(gain.buffer) })
    return { weight: name, epsilon: 1e-5 }
  }
  function linear(name: string, rows: number, columns: number, biased = options.biases === 'all') {
    const matrix: LinearSpec = tensor(`${name}.weight`, [rows, columns], 1 / Math.sqrt(columns))
    return biased ? { ...matrix, bias: tensor(`${name}.bias`, [rows], 0.5).weight } : matrix
  }
  /** Matrices of these sizes as rows of one tensor. */
  function fusedLinears(name: string, sizes: readonly number[]): LinearSpec[] {
    const total = sizes.reduce((sum, size) => sum + size, 0)
    const { weight } = linear(name, total, hiddenSize, false)
    let first = 0
    return sizes.map((count) => {
      const rows = { first, count }
      first += count
      return { weight, rows }
    })
  }
  function residualPart(name: string): ResidualPart {
    const { residualScale } = options
    return {
      ...(norms !== 'post' && { norm: norm(`${name}_norm.weight`) }),
      ...(norms !== 'pre' && { postNorm: norm(`${name}_post_norm.weight`) }),
      ...(residualScale !== undefined && { residualScale }),
    }
  }
  function attentionOf(index: number): AttentionSpec {
    const name = `blk.${index}.attn`
    const rope = options.rope === undefined ? plainRope : options.rope(index)
    const [querySize, kvSize] = [numHeads * headDim, numKvHeads * headDim]
    const part = residualPart(name)
    const hasBias = options.biases !== undefined
    const [query, key, value] = fused
      ? fusedLinears(`${name}_qkv`, [querySize, kvSize, kvSize])
      : [
          linear(`${name}_q`, querySize, hiddenSize, hasBias),
          linear(`${name}_k`, kvSize, hiddenSize, hasBias),
          linear(`${name}_v`, kvSize, hiddenSize, hasBias),
        ]
    const { headNorm: over } = options
    const headNorms = over && {
      queryNorm: { ...norm(`${name}_q_norm.weight`, over === 'head' ? headDim : querySize), over },
      keyNorm: { ...norm(`${name}_k_norm.weight`, over === 'head' ? headDim : kvSize), over },
    }
    return {
      ...part,
      numHeads,
      numKvHeads,
      headDim,
      scale: 1 / Math.sqrt(headDim),
      ...options.attention?.(index),
      ...(rope && { rope }),
      query: query!,
      key: key!,
      value: value!,
      ...headNorms,
      output: linear(`${name}_output`, hiddenSize, querySize),
    }
  }
  function mlpOf(index: number): MlpSpec {
    const name = `blk.${index}.ffn`
    const part = residualPart(name)
    const [gate, up] = fused
      ? fusedLinears(`${name}_gate_up`, [intermediateSize, intermediateSize])
      : [
          linear(`${name}_gate`, intermediateSize, hiddenSize),
          linear(`${name}_up`, intermediateSize, hiddenSize),
        ]
    const down = linear(`${name}_down`, hiddenSize, intermediateSize)
    return {
      ...part,
      intermediateSize,
      activation: options.activation ?? 'silu',
      gate: gate!,
      up: up!,
      down,
    }
  }

  const embedding = tensor('token_embd.weight', [vocabSize, hiddenSize], 0.4)
  const blocks = Array.from(
    { length: numBlocks },
    (_, index): BlockSpec => ({ attention: attentionOf(index), mlp: mlpOf(index) }),
  )
  const headNorm = norm('output_norm.weight')
  const { weight } = tied ? embedding : tensor('output.weight', [vocabSize, hiddenSize], 0.4)
  const spec: TransformerSpec = {
    architecture: 'options',
    hiddenSize,
    vocabSize,
    contextLength,
    embedding: { ...embedding, ...options.embedding },
    blocks,
    head: { norm: headNorm, weight, ...options.head },
  }
  return { spec, weights: weightsInMemory(tensors, 4096) }
}

/** Frequencies theta^(-2i / dim). */
function ropeOf({
  pairing = 'adjacent',
  dim,
  theta = 10_000,
  magnitude,
}: Partial<Pick<RopeSpec, 'pairing' | 'magnitude'>> & { dim: number; theta?: number }): RopeSpec {
  const inverseFrequencies = Float64Array.from({ length: dim / 2 }, (_, i) => theta ** ((-2 * i) / dim))
  return { pairing, dim, inverseFrequencies, ...(magnitude !== undefined && { magnitude }) }
}

// One object for all blocks that share it, as the description asks.
const half256 = ropeOf({ pairing: 'half', dim: 256 })
const adjacent20 = ropeOf({ dim: 20, magnitude: 1.3 })
const half20 = ropeOf({ pairing: 'half', dim: 20, magnitude: 0.8 })
const adjacent36 = ropeOf({ dim: 36 })
const global = ropeOf({ pairing: 'half', dim: 32, theta: 1_000_000 })
const local = ropeOf({ pairing: 'half', dim: 32 })

/**
 * By name, what models are made of that have every option among them. Windows are shorter than the prompts of tests.
 * Compiling one costs seconds on a software adapter, so that options that cannot hide each other share one.
 */
export const optionModels: Readonly<Record<string, ModelOptions>> = {
  'odd sizes, a head of its own': { vocabSize: 97, tied: false, types: { 'output.weight': 'F16' } },
  'one head, tanh GELU': {
    hiddenSize: 44,
    headDim: 44,
    numHeads: 1,
    numKvHeads: 1,
    intermediateSize: 60,
    activation: 'gelu_tanh',
  },
  'seven heads of 40 on one, multipliers': {
    numHeads: 7,
    numKvHeads: 1,
    headDim: 40,
    embedding: { scale: 3.5 },
    residualScale: 0.35,
    attention: () => ({ scale: 0.4 }),
    head: { scale: 0.3 },
  },
  'heads of 100, caps on scores and logits': {
    headDim: 100,
    numHeads: 2,
    types: { 'attn_output.weight': 'F16' },
    attention: () => ({ scale: 0.5, softCap: 1.5 }),
    head: { softCap: 4 },
  },
  'heads of 256, half-split rotation': {
    hiddenSize: 96,
    headDim: 256,
    numHeads: 2,
    numKvHeads: 1,
    intermediateSize: 160,
    rope: () => half256,
  },
  'biases of queries, keys and values': {
    hiddenSize: 96,
    biases: 'qkv',
    types: { 'attn_q.weight': 'Q8_0', 'attn_v.weight': 'Q5_0' },
  },
  'biases of every linear, in F16': {
    hiddenSize: 96,
    intermediateSize: 160,
    biases: 'all',
    types: { 'ffn_down.weight': 'Q4_0', 'ffn_up.bias': 'F16', 'attn_output.bias': 'F16' },
  },
  'fused tensors': { fused: true, types: { 'attn_qkv.weight': 'F16' } },
  'fused tensors of Q4_K and Q5_0': {
    hiddenSize: 256,
    numHeads: 5,
    numKvHeads: 1,
    headDim: 52,
    intermediateSize: 288,
    fused: true,
    types: { 'attn_qkv.weight': 'Q4_K', 'ffn_gate_up.weight': 'Q5_0', 'ffn_down.weight': 'Q8_0' },
  },
  'rotation of a part, adjacent': { rope: () => adjacent20 },
  'rotation of a part, half-split': { rope: () => half20 },
  'norms of each head, one of three blocks without positions': {
    numBlocks: 3,
    headNorm: 'head',
    rope: (index) => (index === 1 ? undefined : adjacent36),
  },
  'norms of all heads, outputs normalised and inputs not': { norms: 'post', headNorm: 'all' },
  'a window in every block': { attention: () => ({ window: 24 }) },
  'a window of one, norms on either side': { norms: 'both', attention: () => ({ window: 1 }) },
  'windows in two of three blocks': {
    numBlocks: 3,
    attention: (index) => (index === 1 ? {} : { window: index === 0 ? 16 : 40 }),
  },
  'everything at once': {
    hiddenSize: 96,
    intermediateSize: 160,
    headDim: 40,
    numBlocks: 3,
    vocabSize: 97,
    tied: false,
    types: {
      'token_embd.weight': 'Q8_0',
      'output.weight': 'F16',
      'attn_q.weight': 'Q4_1',
      'attn_k.weight': 'Q8_0',
      'ffn_gate.weight': 'Q5_1',
      'ffn_down.weight': 'BF16',
    },
    embedding: { scale: 2.5 },
    head: { scale: 0.5, softCap: 5 },
    norms: 'both',
    residualScale: 0.6,
    biases: 'all',
    headNorm: 'head',
    attention: (index) => ({ scale: 0.3, softCap: 3, ...(index !== 1 && { window: 24 }) }),
    rope: (index) => [local, global, undefined][index],
    activation: 'gelu_tanh',
  },
}
