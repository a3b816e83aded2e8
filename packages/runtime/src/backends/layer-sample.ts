import { ggmlTypes } from '../formats/ggml-types.ts'
import type { TensorInfo } from '../formats/gguf.ts'
import type { BlockSpec, LinearSpec, RmsNormSpec, TransformerSpec } from './transformer-spec.ts'
import type { Weights } from './weights.ts'

/** Some layers of a model's shapes and encodings, with weights that mean nothing: for timing before any is there. */
export interface LayerSample {
  /** Without a vocabulary worth the name. */
  readonly spec: TransformerSpec
  readonly weights: Weights
}

/** In every encoding, a run of this byte is a run of small, normal numbers. */
const sampleByte = 0x2c
/** Of the vocabulary and of the context. */
const sampleTokens = 512

/** More than a processor's own caches hold: in a model, no layer finds its weights there. */
const leastBytes = 16 * 2 ** 20

/**
 * Copies of the first layer: each has weights of its own, and all want the same kernels.
 * @param atLeast bytes of file that they have together, as far as the model has as many layers
 */
export function sampleLayers(
  spec: TransformerSpec,
  tensors: ReadonlyMap<string, TensorInfo>,
  atLeast = leastBytes,
): LayerSample {
  const block = spec.blocks[0]!
  const embedding = tensors.get(spec.embedding.weight)!
  const names = namesOf(block).filter((name) => tensors.has(name))
  const layerBytes = names.reduce((sum, name) => sum + tensors.get(name)!.byteLength, 0)
  const numLayers = Math.min(spec.blocks.length, Math.ceil(atLeast / layerBytes))
  const layers = Array.from({ length: numLayers }, (_, layer) => `layer ${layer}: `)
  const copies = layers.flatMap((prefix) =>
    names.map((name) => ({ ...tensors.get(name)!, name: prefix + name })),
  )
  const head = { weight: 'norm', epsilon: 1e-5 }
  const sampled = new Map(
    [...copies, shortened(embedding), normOf(spec.hiddenSize)].map((tensor) => [tensor.name, tensor]),
  )
  const bytesOf = ({ byteLength }: TensorInfo) => new Uint8Array(byteLength).fill(sampleByte)
  return {
    spec: {
      ...spec,
      vocabSize: sampleTokens,
      contextLength: sampleTokens,
      embedding: { weight: 'embedding' },
      head: { norm: head, weight: 'embedding' },
      blocks: layers.map((prefix) => renamed(block, prefix)),
    },
    weights: {
      tensors: sampled,
      read: async (name) => bytesOf(sampled.get(name)!),
      async *stream() {
        for (const tensor of sampled.values()) yield { tensor, byteOffset: 0, bytes: bytesOf(tensor) }
      },
    },
  }
}

/** What the time of a layer depends on besides the machine: encodings and shapes of the first one's linear layers. */
export function layerShape(
  { blocks }: TransformerSpec,
  tensors: ReadonlyMap<string, TensorInfo>,
): readonly string[] {
  return linearsOf(blocks[0]!).map(({ weight }) => {
    const { type, shape } = tensors.get(weight)!
    return `${type} ${shape.join('x')}`
  })
}

const shortened = (tensor: TensorInfo): TensorInfo => {
  const { blockSize, blockBytes } = ggmlTypes[tensor.type]
  const numColumns = tensor.shape[1]!
  const shape = [sampleTokens, numColumns]
  return {
    ...tensor,
    name: 'embedding',
    shape,
    byteLength: ((sampleTokens * numColumns) / blockSize) * blockBytes,
  }
}

const normOf = (size: number): TensorInfo => ({
  ...{ name: 'norm', type: 'F32', shape: [size], file: 0, byteOffset: 0, byteLength: size * 4 },
})

const linearsOf = ({ attention, mlp }: BlockSpec): readonly LinearSpec[] => [
  ...[attention.query, attention.key, attention.value, attention.output],
  ...[mlp.gate, mlp.up, mlp.down],
]

const normsOf = ({ attention, mlp }: BlockSpec): readonly RmsNormSpec[] =>
  [
    ...[attention.norm, attention.queryNorm, attention.keyNorm, attention.postNorm],
    ...[mlp.norm, mlp.postNorm],
  ].filter((each) => each !== undefined)

function namesOf(block: BlockSpec): readonly string[] {
  const ofLinears = linearsOf(block).flatMap(({ weight, bias }) => (bias ? [weight, bias] : [weight]))
  return [...new Set([...ofLinears, ...normsOf(block).map(({ weight }) => weight)])]
}

/** The same layer with other tensors: every name of it is a `weight` or a `bias`. */
function renamed(block: BlockSpec, prefix: string): BlockSpec {
  const rename = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [
        key,
        (key === 'weight' || key === 'bias') && typeof inner === 'string' ? prefix + inner : rename(inner),
      ]),
    )
  }
  return rename(block) as BlockSpec
}
