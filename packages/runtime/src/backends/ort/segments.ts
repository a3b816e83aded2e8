import { BrasaError } from '../../errors.ts'
import type { TensorInfo } from '../../formats/gguf.ts'
import type { BlockSpec, HeadSpec, LinearSpec, TransformerSpec } from '../transformer-spec.ts'

/** Linear layers that share an input, as one matrix: their rows one after the other. */
export interface MatrixPlan {
  /** Of its own in the model. */
  readonly name: string
  readonly parts: readonly MatrixPart[]
  readonly outputSize: number
  readonly inputSize: number
}

/** A linear layer whose rows start at `row` of the matrix. */
export interface MatrixPart {
  readonly linear: LinearSpec
  readonly row: number
  readonly numRows: number
}

/** A norm's gain or a bias. */
export interface VectorPlan {
  readonly name: string
  readonly size: number
}

export interface BlockPlan {
  readonly spec: BlockSpec
  readonly queryKeyValue: MatrixPlan
  readonly output: MatrixPlan
  readonly gateUp: MatrixPlan
  readonly down: MatrixPlan
}

/** What becomes one session: consecutive blocks, or the head. */
export type Segment = {
  readonly matrices: readonly MatrixPlan[]
  readonly vectors: readonly VectorPlan[]
} & (
  | { readonly kind: 'blocks'; readonly blocks: readonly BlockPlan[] }
  | { readonly kind: 'head'; readonly head: HeadSpec; readonly matrix: MatrixPlan }
)

/** A session's weights are twice in memory while it is made: small sessions bound that, and each costs 0.1 ms a run. */
const maxSegmentBytes = 64 * 1024 * 1024

/**
 * The model cut into graphs, in the order in which they run.
 * @throws BrasaError `malformed_model` if a tensor is missing or has another shape than the description says
 */
export function planSegments(
  spec: TransformerSpec,
  tensors: ReadonlyMap<string, TensorInfo>,
): readonly Segment[] {
  const { hiddenSize, vocabSize, head } = spec
  const segments: Segment[] = []
  let blocks: BlockPlan[] = []
  let bytes = 0
  const flush = () => {
    if (blocks.length > 0) segments.push(blocksSegment(blocks, hiddenSize))
    blocks = []
    bytes = 0
  }
  for (const [index, block] of spec.blocks.entries()) {
    const plan = planBlock(`blk.${index}`, block, hiddenSize)
    const blockBytes = f32Bytes(matricesOf(plan))
    if (bytes + blockBytes > maxSegmentBytes) flush()
    blocks.push(plan)
    bytes += blockBytes
  }
  flush()
  const matrix = joined('head', hiddenSize, [[{ weight: head.weight }, vocabSize]])
  const vectors = [{ name: head.norm.weight, size: hiddenSize }]
  segments.push({ kind: 'head', head, matrix, matrices: [matrix], vectors })
  checkShape(tensors, spec.embedding.weight, [vocabSize, hiddenSize])
  for (const { matrices, vectors } of segments) {
    for (const matrix of matrices) checkMatrix(tensors, matrix)
    for (const { name, size } of vectors) checkShape(tensors, name, [size])
  }
  return segments
}

/** Bytes of the matrices in f32. */
export function f32Bytes(matrices: readonly MatrixPlan[]): number {
  return matrices.reduce((sum, { outputSize, inputSize }) => sum + outputSize * inputSize * 4, 0)
}

function planBlock(name: string, spec: BlockSpec, hiddenSize: number): BlockPlan {
  const { numHeads, numKvHeads, headDim, query, key, value, output } = spec.attention
  const { gate, up, down, intermediateSize } = spec.mlp
  return {
    spec,
    queryKeyValue: joined(`${name}.qkv`, hiddenSize, [
      [query, numHeads * headDim],
      [key, numKvHeads * headDim],
      [value, numKvHeads * headDim],
    ]),
    output: joined(`${name}.output`, numHeads * headDim, [[output, hiddenSize]]),
    gateUp: joined(`${name}.gate_up`, hiddenSize, [
      [gate, intermediateSize],
      [up, intermediateSize],
    ]),
    down: joined(`${name}.down`, intermediateSize, [[down, hiddenSize]]),
  }
}

/** @param linears with their output sizes */
function joined(
  name: string,
  inputSize: number,
  linears: readonly (readonly [LinearSpec, number])[],
): MatrixPlan {
  const parts: MatrixPart[] = []
  let row = 0
  for (const [linear, numRows] of linears) {
    parts.push({ linear, row, numRows })
    row += numRows
  }
  return { name, parts, outputSize: row, inputSize }
}

const matricesOf = ({ queryKeyValue, output, gateUp, down }: BlockPlan): readonly MatrixPlan[] => [
  queryKeyValue,
  output,
  gateUp,
  down,
]

function blocksSegment(blocks: readonly BlockPlan[], hiddenSize: number): Segment {
  const matrices = blocks.flatMap(matricesOf)
  const vectors: VectorPlan[] = []
  const add = (name: string | undefined, size: number) => {
    if (name !== undefined) vectors.push({ name, size })
  }
  for (const { attention, mlp } of blocks.map(({ spec }) => spec)) {
    const { headDim, numHeads, numKvHeads, queryNorm, keyNorm } = attention
    for (const { norm, postNorm } of [attention, mlp]) {
      add(norm?.weight, hiddenSize)
      add(postNorm?.weight, hiddenSize)
    }
    add(queryNorm?.weight, queryNorm?.over === 'all' ? numHeads * headDim : headDim)
    add(keyNorm?.weight, keyNorm?.over === 'all' ? numKvHeads * headDim : headDim)
  }
  for (const { linear, numRows } of matrices.flatMap(({ parts }) => parts)) add(linear.bias, numRows)
  return { kind: 'blocks', blocks, matrices, vectors }
}

function checkMatrix(tensors: ReadonlyMap<string, TensorInfo>, { parts, inputSize }: MatrixPlan): void {
  for (const { linear, numRows } of parts) {
    const { first = 0, count = numRows } = linear.rows ?? {}
    const allRows = tensors.get(linear.weight)?.shape[0] ?? 0
    const isView = linear.rows !== undefined && count === numRows && first + count <= allRows
    checkShape(tensors, linear.weight, [isView ? allRows : first + numRows, inputSize])
  }
}

function checkShape(
  tensors: ReadonlyMap<string, TensorInfo>,
  name: string,
  expected: readonly number[],
): void {
  const { shape } = tensorOf(tensors, name)
  if (shape.length === expected.length && expected.every((size, axis) => size === shape[axis])) return
  const [actual, wanted] = [shape, expected].map((sizes) => `[${sizes.join(', ')}]`) as [string, string]
  throw new BrasaError('malformed_model', {
    message: `Tensor "${name}" has the shape ${actual}, not ${wanted}. Download or convert the file again.`,
    details: { tensor: name, shape: actual, expected: wanted },
  })
}

export function tensorOf(tensors: ReadonlyMap<string, TensorInfo>, name: string): TensorInfo {
  const tensor = tensors.get(name)
  if (tensor !== undefined) return tensor
  throw new BrasaError('malformed_model', {
    message: `Tensor "${name}" is missing. Download or convert the file again.`,
    details: { tensor: name },
  })
}
