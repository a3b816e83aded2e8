import type {
  AttentionSpec,
  BlockSpec,
  HeadNormSpec,
  HeadSpec,
  LinearSpec,
  MlpSpec,
  RmsNormSpec,
  TransformerSpec,
} from '../backends/transformer-spec.ts'
import { BrasaError } from '../errors.ts'
import type { ModelFile } from './model-file.ts'

/** A decoder-only transformer as GGUF lays it out: what all architectures share. Each file of `models/` says what its own has besides. */
export interface Decoder {
  readonly hiddenSize: number
  readonly intermediateSize: number
  readonly numHeads: number
  readonly numKvHeads: number
  readonly headDim: number
  readonly numBlocks: number
  /** Scaled by 1 / sqrt(headDim). */
  readonly heads: Heads
  /** The description, its head tied to the embedding where the file has no `output.weight`. */
  spec(block: (layer: Layer) => BlockSpec, ends?: DecoderEnds): TransformerSpec
}

/** What an architecture does before its first and after its last block. */
export interface DecoderEnds {
  readonly embeddingScale?: number | undefined
  readonly logitScale?: number | undefined
  readonly logitSoftCap?: number | undefined
}

/** The tensors of one block, their names given without `blk.N.` and `.weight`. A linear has a bias where the file has one. */
export interface Layer {
  readonly index: number
  /** (hiddenSize) */
  norm(name: string): RmsNormSpec
  /** (headDim) */
  headNorm(name: string): HeadNormSpec
  /** (numHeads * headDim) */
  allHeadsNorm(name: string, numHeads: number): HeadNormSpec
  linear(name: string, outputSize: number, inputSize: number): LinearSpec
  /** Matrices of `inputSize` columns that follow each other in the rows of one tensor. */
  fused<const Sizes extends readonly number[]>(
    name: string,
    outputSizes: Sizes,
    inputSize: number,
  ): { readonly [index in keyof Sizes]: LinearSpec }
  /** The heads and their four projections. `qkvBias`: a file without those biases is not whole. */
  attention(options?: { qkvBias?: boolean }): Heads & Projections
  mlp(): Pick<MlpSpec, 'intermediateSize' | 'gate' | 'up' | 'down'>
}

type Heads = Pick<AttentionSpec, 'numHeads' | 'numKvHeads' | 'headDim' | 'scale'>
type Projections = Pick<AttentionSpec, 'query' | 'key' | 'value' | 'output'>

/**
 * Reads a decoder's sizes.
 * @throws BrasaError `malformed_model` for sizes that do not divide, `unsupported_architecture` for heads that no backend holds
 */
export function decoderOf(file: ModelFile): Decoder {
  const { metadata, tensor } = file
  const hiddenSize = metadata.count('embedding_length')
  const intermediateSize = uniformCount(file, 'feed_forward_length')
  const numBlocks = metadata.count('block_count')
  const numHeads = uniformCount(file, 'attention.head_count')
  const numKvHeads = uniformCount(file, 'attention.head_count_kv', () => numHeads)
  const headDim = metadata.count('attention.key_length', () => hiddenSize / numHeads)
  const epsilon = metadata.number('attention.layer_norm_rms_epsilon')
  checkHeads(numHeads, numKvHeads, headDim)
  if (epsilon < 0) {
    throw new BrasaError('malformed_model', {
      message: `The norms' epsilon is ${epsilon}. Download or convert the file again.`,
      details: { key: 'attention.layer_norm_rms_epsilon', value: epsilon },
    })
  }
  const heads: Heads = { numHeads, numKvHeads, headDim, scale: 1 / Math.sqrt(headDim) }
  const [querySize, keySize] = [numHeads * headDim, numKvHeads * headDim]
  file.refuseUnless('attention.value_length', headDim)
  file.refuseUnless('attention.causal', true)

  const rmsNorm = (name: string, size: number): RmsNormSpec => ({
    ...tensor(`${name}.weight`, [size]),
    epsilon,
  })
  const linear = (name: string, outputSize: number, inputSize: number): LinearSpec => ({
    ...tensor(`${name}.weight`, [outputSize, inputSize]),
    ...(file.has(`${name}.bias`) && { bias: tensor(`${name}.bias`, [outputSize]).weight }),
  })

  function layerOf(index: number): Layer {
    const named = (name: string) => `blk.${index}.${name}`
    const layer: Layer = {
      index,
      norm: (name) => rmsNorm(named(name), hiddenSize),
      headNorm: (name) => ({ ...rmsNorm(named(name), headDim), over: 'head' }),
      allHeadsNorm: (name, heads) => ({ ...rmsNorm(named(name), heads * headDim), over: 'all' }),
      linear: (name, outputSize, inputSize) => linear(named(name), outputSize, inputSize),
      fused(name, outputSizes, inputSize) {
        const rows = outputSizes.reduce((sum, size) => sum + size, 0)
        const whole = tensor(named(`${name}.weight`), [rows, inputSize])
        let first = 0
        const parts = outputSizes.map((count): LinearSpec => {
          const part = { ...whole, rows: { first, count } }
          first += count
          return part
        })
        return parts as { [index in keyof typeof outputSizes]: LinearSpec }
      },
      attention({ qkvBias = false } = {}) {
        if (qkvBias) {
          tensor(named('attn_q.bias'), [querySize])
          tensor(named('attn_k.bias'), [keySize])
          tensor(named('attn_v.bias'), [keySize])
        }
        return {
          ...heads,
          query: layer.linear('attn_q', querySize, hiddenSize),
          key: layer.linear('attn_k', keySize, hiddenSize),
          value: layer.linear('attn_v', keySize, hiddenSize),
          output: layer.linear('attn_output', hiddenSize, querySize),
        }
      },
      mlp: () => ({
        intermediateSize,
        gate: layer.linear('ffn_gate', intermediateSize, hiddenSize),
        up: layer.linear('ffn_up', intermediateSize, hiddenSize),
        down: layer.linear('ffn_down', hiddenSize, intermediateSize),
      }),
    }
    return layer
  }

  return {
    ...{ hiddenSize, intermediateSize, numHeads, numKvHeads, headDim, numBlocks, heads },
    spec(block, { embeddingScale, logitScale, logitSoftCap } = {}) {
      const [vocabSize = 0] = file.shapeOf('token_embd.weight')
      const embedding = tensor('token_embd.weight', [vocabSize, hiddenSize])
      const blocks: BlockSpec[] = []
      for (let index = 0; index < numBlocks; index++) blocks.push(block(layerOf(index)))
      const isTied = !file.has('output.weight')
      const head: HeadSpec = {
        norm: rmsNorm('output_norm', hiddenSize),
        ...(isTied ? embedding : tensor('output.weight', [vocabSize, hiddenSize])),
        scale: logitScale,
        softCap: logitSoftCap,
      }
      return {
        architecture: metadata.architecture,
        ...{ hiddenSize, vocabSize, contextLength: metadata.count('context_length') },
        embedding: { ...embedding, scale: embeddingScale },
        ...{ blocks, head },
      }
    },
  }
}

/** A size that some files list for every layer; layers of different sizes are refused. */
function uniformCount(file: ModelFile, key: string, fallback?: () => number): number {
  const listed = file.option(key)
  if (!Array.isArray(listed)) return file.metadata.count(key, fallback)
  const [first] = listed
  if (Number.isInteger(first) && first > 0 && listed.every((size) => size === first)) return first
  throw new BrasaError('unsupported_architecture', {
    message: `This model's layers differ in ${key}, which Brasa does not honour yet. Choose another model.`,
    details: { key, value: listed.slice(0, 8).join(', ') },
  })
}

function checkHeads(numHeads: number, numKvHeads: number, headDim: number): void {
  const details = { numHeads, numKvHeads, headDim }
  if (!Number.isInteger(headDim) || numHeads % numKvHeads !== 0) {
    throw new BrasaError('malformed_model', {
      message: `${numHeads} heads of ${headDim} on ${numKvHeads} key-value heads do not divide. Download or convert the file again.`,
      details,
    })
  }
  if (headDim % 4 !== 0 || headDim > 256) {
    throw new BrasaError('unsupported_architecture', {
      message: `This model's attention heads have ${headDim} components; Brasa runs multiples of 4 up to 256. Choose another model.`,
      details,
    })
  }
}
