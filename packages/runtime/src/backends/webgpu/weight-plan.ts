import { BrasaError } from '../../errors.ts'
import type { TensorInfo } from '../../formats/gguf.ts'
import type { BlockSpec, LinearSpec, RowRange, TransformerSpec } from '../transformer-spec.ts'
import { commonLayout, type DeviceLayout, type WeightWidth } from './device-planes.ts'

/** Which tensors' rows make up the matrices and vectors on the device: decided here, without one. */
export interface WeightPlan {
  readonly embedding: MatrixPlan
  /** The embedding itself where the two are tied. */
  readonly head: MatrixPlan
  readonly headNorm: VectorPlan
  readonly blocks: readonly BlockPlan[]
}

/** Matrices that read the same input are one matrix, so that one dispatch multiplies them all. */
export interface BlockPlan {
  readonly attentionNorm: VectorPlan | undefined
  readonly attentionPostNorm: VectorPlan | undefined
  /** (numHeads * headDim + 2 * numKvHeads * headDim, hiddenSize): query, key and value rows in this order. */
  readonly queryKeyValue: LinearPlan
  readonly queryNorm: VectorPlan | undefined
  readonly keyNorm: VectorPlan | undefined
  readonly attentionOutput: LinearPlan
  readonly mlpNorm: VectorPlan | undefined
  readonly mlpPostNorm: VectorPlan | undefined
  /** (2 * intermediateSize, hiddenSize): gate rows, then up rows. */
  readonly gateUp: LinearPlan
  readonly down: LinearPlan
}

export interface LinearPlan {
  readonly matrix: MatrixPlan
  /** (matrix.numRows) zero where a part has none; absent where no part has one */
  readonly bias: VectorPlan | undefined
}

/** Rows of one or more tensors, one below the other. The same object wherever the same rows are used. */
export interface MatrixPlan {
  readonly label: string
  readonly layout: DeviceLayout
  readonly numRows: number
  readonly numColumns: number
  readonly parts: readonly (RowRange & { readonly tensor: TensorInfo })[]
}

/** Values of one or more tensors in f32. */
export interface VectorPlan {
  readonly label: string
  readonly length: number
  readonly parts: readonly { readonly tensor: TensorInfo; readonly offset: number }[]
}

/** @throws BrasaError `malformed_model` if a tensor that the description names is missing */
export function planWeights(
  spec: TransformerSpec,
  tensors: ReadonlyMap<string, TensorInfo>,
  width: WeightWidth,
): WeightPlan {
  const matrices = new Map<string, MatrixPlan>()
  const vectors = new Map<string, VectorPlan>()
  const matrix = (linears: readonly LinearSpec[]) => {
    const plan = planMatrix(linears, tensors, width)
    return kept(matrices, plan)
  }
  const vector = (spec: { readonly weight: string } | undefined) => {
    if (spec === undefined) return undefined
    const tensor = tensorNamed(tensors, spec.weight)
    const length = tensor.shape.reduce((product, size) => product * size, 1)
    return kept(vectors, { label: spec.weight, length, parts: [{ tensor, offset: 0 }] })
  }
  const linear = (...linears: LinearSpec[]): LinearPlan => {
    const bias = planBias(linears, tensors)
    return { matrix: matrix(linears), bias: bias && kept(vectors, bias) }
  }
  const block = ({ attention, mlp }: BlockSpec): BlockPlan => ({
    attentionNorm: vector(attention.norm),
    attentionPostNorm: vector(attention.postNorm),
    queryKeyValue: linear(attention.query, attention.key, attention.value),
    queryNorm: vector(attention.queryNorm),
    keyNorm: vector(attention.keyNorm),
    attentionOutput: linear(attention.output),
    mlpNorm: vector(mlp.norm),
    mlpPostNorm: vector(mlp.postNorm),
    gateUp: linear(mlp.gate, mlp.up),
    down: linear(mlp.down),
  })
  return {
    embedding: matrix([spec.embedding]),
    head: matrix([spec.head]),
    headNorm: vector(spec.head.norm)!,
    blocks: spec.blocks.map(block),
  }
}

/** Every matrix and vector of a plan, each once. */
export function partsOf({ embedding, head, headNorm, blocks }: WeightPlan): {
  matrices: ReadonlySet<MatrixPlan>
  vectors: ReadonlySet<VectorPlan>
} {
  const linears = blocks.flatMap((block) => [
    block.queryKeyValue,
    block.attentionOutput,
    block.gateUp,
    block.down,
  ])
  const vectors = blocks.flatMap((block) => [
    block.attentionNorm,
    block.attentionPostNorm,
    block.queryNorm,
    block.keyNorm,
    block.mlpNorm,
    block.mlpPostNorm,
  ])
  return {
    matrices: new Set([embedding, head, ...linears.map(({ matrix }) => matrix)]),
    vectors: new Set(
      [headNorm, ...vectors, ...linears.map(({ bias }) => bias)].filter((plan) => plan !== undefined),
    ),
  }
}

function planMatrix(
  linears: readonly LinearSpec[],
  tensors: ReadonlyMap<string, TensorInfo>,
  width: WeightWidth,
): MatrixPlan {
  const parts = linears.map(({ weight, rows }) => {
    const tensor = tensorNamed(tensors, weight)
    return { tensor, ...(rows ?? { first: 0, count: tensor.shape[0]! }) }
  })
  const [first, ...others] = parts.map(({ tensor }) => tensor.type)
  const labels = parts.map(({ tensor, first, count }) =>
    first === 0 && count === tensor.shape[0] ? tensor.name : `${tensor.name}[${first}:${first + count}]`,
  )
  return {
    label: labels.join('+'),
    layout: commonLayout([first!, ...others], width),
    numRows: parts.reduce((sum, { count }) => sum + count, 0),
    numColumns: parts[0]!.tensor.shape[1]!,
    parts,
  }
}

function planBias(
  linears: readonly LinearSpec[],
  tensors: ReadonlyMap<string, TensorInfo>,
): VectorPlan | undefined {
  if (linears.every(({ bias }) => bias === undefined)) return undefined
  const parts: VectorPlan['parts'][number][] = []
  let length = 0
  for (const { weight, rows, bias } of linears) {
    if (bias !== undefined) parts.push({ tensor: tensorNamed(tensors, bias), offset: length })
    length += rows?.count ?? tensorNamed(tensors, weight).shape[0]!
  }
  return { label: linears.map(({ bias }) => bias ?? 'none').join('+'), length, parts }
}

function kept<Plan extends { readonly label: string }>(plans: Map<string, Plan>, plan: Plan): Plan {
  const known = plans.get(plan.label) ?? plan
  plans.set(plan.label, known)
  return known
}

function tensorNamed(tensors: ReadonlyMap<string, TensorInfo>, name: string): TensorInfo {
  const tensor = tensors.get(name)
  if (tensor === undefined) {
    throw new BrasaError('malformed_model', {
      message: `The model file has no tensor ${name}. Use a complete GGUF file.`,
    })
  }
  return tensor
}
