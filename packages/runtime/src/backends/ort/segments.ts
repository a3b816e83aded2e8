import { BrasaError } from '../../errors.ts'
import type { AttentionSpec, BlockSpec, LinearSpec, TransformerSpec } from '../transformer-spec.ts'
import type { Weights } from '../weights.ts'

/** Linear layers that share an input, as one matrix: their rows one after the other. */
export interface MatrixPlan {
  /** Of the first tensor in it. */
  readonly name: string
  /** The tensors in it, and the value number at which each starts. */
  readonly parts: ReadonlyMap<string, number>
  readonly outputSize: number
  readonly inputSize: number
}

/** What becomes one session: consecutive blocks, or the head. */
export type Segment = { readonly matrices: readonly MatrixPlan[]; readonly gains: readonly string[] } & (
  | { readonly kind: 'blocks'; readonly blocks: readonly BlockSpec[] }
  | { readonly kind: 'head' }
)

/** A session's weights are twice in memory while it is made: small sessions bound that, and each costs 0.1 ms a run. */
const maxSegmentBytes = 64 * 1024 * 1024

/**
 * The model cut into graphs, in the order in which they run.
 * @throws BrasaError `unsupported_architecture` if blocks differ in what they share; `malformed_model` if a tensor is missing
 */
export function planSegments(spec: TransformerSpec, weights: Weights): readonly Segment[] {
  checkUniform(spec)
  const segments: Segment[] = []
  let blocks: BlockSpec[] = []
  let bytes = 0
  const flush = () => {
    if (blocks.length > 0) segments.push(blocksSegment(spec, blocks))
    blocks = []
    bytes = 0
  }
  for (const block of spec.blocks) {
    const blockBytes = f32Bytes(matricesOf(spec, block))
    if (bytes + blockBytes > maxSegmentBytes) flush()
    blocks.push(block)
    bytes += blockBytes
  }
  flush()
  const head = matrixOf(spec.hiddenSize, [[spec.head, spec.vocabSize]])
  segments.push({ kind: 'head', matrices: [head], gains: [spec.head.norm.weight] })
  for (const { matrices, gains } of segments) {
    for (const name of [...matrices.flatMap(({ parts }) => [...parts.keys()]), ...gains])
      tensorOf(weights, name)
  }
  return segments
}

export function tensorOf(weights: Weights, name: string) {
  const tensor = weights.tensors.get(name)
  if (tensor !== undefined) return tensor
  throw new BrasaError('malformed_model', {
    message: `Tensor "${name}" is missing. Download or convert the file again.`,
    details: { tensor: name },
  })
}

/** Bytes of the matrices in f32. */
export function f32Bytes(matrices: readonly MatrixPlan[]): number {
  return matrices.reduce((sum, { outputSize, inputSize }) => sum + outputSize * inputSize * 4, 0)
}

function blocksSegment(spec: TransformerSpec, blocks: readonly BlockSpec[]): Segment {
  return {
    kind: 'blocks',
    blocks,
    matrices: blocks.flatMap((block) => matricesOf(spec, block)),
    gains: blocks.flatMap(({ attention, mlp }) => [attention.norm.weight, mlp.norm.weight]),
  }
}

function matricesOf({ hiddenSize }: TransformerSpec, { attention, mlp }: BlockSpec): readonly MatrixPlan[] {
  const { numHeads, numKvHeads, headDim, query, key, value, output } = attention
  const kvSize = numKvHeads * headDim
  return [
    matrixOf(hiddenSize, [
      [query, numHeads * headDim],
      [key, kvSize],
      [value, kvSize],
    ]),
    matrixOf(numHeads * headDim, [[output, hiddenSize]]),
    matrixOf(hiddenSize, [
      [mlp.gate, mlp.intermediateSize],
      [mlp.up, mlp.intermediateSize],
    ]),
    matrixOf(mlp.intermediateSize, [[mlp.down, hiddenSize]]),
  ]
}

/** @param linears with their output sizes */
function matrixOf(inputSize: number, linears: readonly (readonly [LinearSpec, number])[]): MatrixPlan {
  const parts = new Map<string, number>()
  let outputSize = 0
  for (const [{ weight }, rows] of linears) {
    parts.set(weight, outputSize * inputSize)
    outputSize += rows
  }
  return { name: linears[0]![0].weight, parts, outputSize, inputSize }
}

/** Masks, rope tables and the cache are fed once for all blocks. */
function checkUniform({ architecture, blocks }: TransformerSpec): void {
  const first = blocks[0]!.attention
  const differs = (what: string): never => {
    throw new BrasaError('unsupported_architecture', {
      message: `The blocks of this ${architecture} model differ in ${what}, which the ONNX backend cannot do. Use backend 'webgpu'.`,
      details: { architecture },
    })
  }
  for (const { attention, mlp } of blocks) {
    for (const name of ['numHeads', 'numKvHeads', 'headDim'] as const satisfies (keyof AttentionSpec)[]) {
      if (attention[name] !== first[name]) differs(name)
    }
    if (attention.rope.inverseFrequencies !== first.rope.inverseFrequencies) differs('rope')
    if (attention.rope.dim !== first.rope.dim) differs('rope.dim')
    if (attention.rope.pairing !== 'adjacent') differs(`rope.pairing "${attention.rope.pairing}"`)
    if (mlp.activation !== 'silu') differs(`mlp.activation "${mlp.activation}"`)
  }
}
