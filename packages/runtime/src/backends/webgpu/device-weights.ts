import { BrasaError } from '../../errors.ts'
import type { TransformerSpec } from '../transformer-spec.ts'
import type { Weights } from '../weights.ts'
import { planeBytes, type WeightWidth } from './device-planes.ts'
import { createStorageBuffer, type Gpu } from './gpu.ts'
import type { WeightMatrix } from './weight-matrix.ts'
import { type LinearPlan, type MatrixPlan, partsOf, planWeights, type VectorPlan } from './weight-plan.ts'

/** The weights of one model in GPU memory: allocated here as weight-plan.ts says, filled by weight-upload.ts. */
export interface DeviceWeights {
  readonly embedding: WeightMatrix
  /** The embedding itself where the two are tied. */
  readonly head: WeightMatrix
  /** (hiddenSize) */
  readonly headNorm: GPUBuffer
  readonly blocks: readonly DeviceBlock[]
  /** Where each tensor's values go. */
  readonly targets: ReadonlyMap<string, readonly WeightTarget[]>
  readonly byteLength: number
}

/** A `BlockPlan` on the device. */
export interface DeviceBlock {
  readonly attentionNorm: GPUBuffer | undefined
  readonly attentionPostNorm: GPUBuffer | undefined
  readonly queryKeyValue: DeviceLinear
  readonly queryNorm: GPUBuffer | undefined
  readonly keyNorm: GPUBuffer | undefined
  readonly attentionOutput: DeviceLinear
  readonly mlpNorm: GPUBuffer | undefined
  readonly mlpPostNorm: GPUBuffer | undefined
  readonly gateUp: DeviceLinear
  readonly down: DeviceLinear
}

/** What matvec and matmul bind of it. */
export interface DeviceLinear {
  readonly weights: WeightMatrix
  readonly bias: GPUBuffer | undefined
}

/** `count` values of a tensor from `first` on go to the matrix or vector from `offset` on. */
export type WeightTarget = { readonly first: number; readonly count: number; readonly offset: number } & (
  | { readonly kind: 'matrix'; readonly matrix: WeightMatrix }
  | { readonly kind: 'vector'; readonly buffer: GPUBuffer }
)

/**
 * Allocates the planes of every tensor the model uses.
 * @throws BrasaError `out_of_memory` if the adapter cannot hold them, `malformed_model` if one is missing
 */
export async function allocateWeights(
  gpu: Gpu,
  spec: TransformerSpec,
  { tensors }: Pick<Weights, 'tensors'>,
  width: WeightWidth,
): Promise<DeviceWeights> {
  const plan = planWeights(spec, tensors, width)
  gpu.device.pushErrorScope('out-of-memory')
  const targets = new Map<string, WeightTarget[]>()
  const { matrices, vectors } = partsOf(plan)
  const matrixOf = allocated(matrices, (matrix) => allocateMatrix(gpu, matrix, targets))
  const vectorOf = allocated(vectors, (vector) => allocateVector(gpu, vector, targets))
  const vector = (plan: VectorPlan | undefined) => plan && vectorOf.get(plan)!
  const linear = ({ matrix, bias }: LinearPlan): DeviceLinear => ({
    weights: matrixOf.get(matrix)!,
    bias: vector(bias),
  })
  const buffers = [...matrixOf.values()].flatMap(({ quants, scales }) => [quants, scales])
  const byteLength = [...buffers, ...vectorOf.values()].reduce((sum, { size }) => sum + size, 0)
  const outOfMemory = await gpu.device.popErrorScope()
  if (outOfMemory !== null) {
    throw new BrasaError('out_of_memory', {
      message: `The GPU cannot hold the model's ${Math.ceil(byteLength / 2 ** 20)} MiB of weights. Close other tabs that use the GPU, or choose a smaller model or quantisation.`,
      details: { weightBytes: byteLength },
      cause: outOfMemory,
    })
  }
  return {
    embedding: matrixOf.get(plan.embedding)!,
    head: matrixOf.get(plan.head)!,
    headNorm: vectorOf.get(plan.headNorm)!,
    blocks: plan.blocks.map((block) => ({
      attentionNorm: vector(block.attentionNorm),
      attentionPostNorm: vector(block.attentionPostNorm),
      queryKeyValue: linear(block.queryKeyValue),
      queryNorm: vector(block.queryNorm),
      keyNorm: vector(block.keyNorm),
      attentionOutput: linear(block.attentionOutput),
      mlpNorm: vector(block.mlpNorm),
      mlpPostNorm: vector(block.mlpPostNorm),
      gateUp: linear(block.gateUp),
      down: linear(block.down),
    })),
    targets,
    byteLength,
  }
}

function allocateMatrix(gpu: Gpu, plan: MatrixPlan, targets: Map<string, WeightTarget[]>): WeightMatrix {
  const { label, layout, numRows, numColumns } = plan
  const bytes = planeBytes(layout, numRows, numColumns)
  const matrix: WeightMatrix = {
    layout,
    numRows,
    numColumns,
    quants: createBindable(gpu, label, bytes.quants),
    scales: createBindable(gpu, `${label}.scales`, bytes.scales),
  }
  let offset = 0
  for (const { tensor, first, count } of plan.parts) {
    const values = { first: first * numColumns, count: count * numColumns, offset }
    addTarget(targets, tensor.name, { kind: 'matrix', matrix, ...values })
    offset += values.count
  }
  return matrix
}

function allocateVector(gpu: Gpu, plan: VectorPlan, targets: Map<string, WeightTarget[]>): GPUBuffer {
  const buffer = createBindable(gpu, plan.label, plan.length * 4)
  for (const { tensor, offset } of plan.parts) {
    const count = tensor.shape.reduce((product, size) => product * size, 1)
    addTarget(targets, tensor.name, { kind: 'vector', buffer, first: 0, count, offset })
  }
  return buffer
}

function addTarget(targets: Map<string, WeightTarget[]>, name: string, target: WeightTarget): void {
  targets.set(name, [...(targets.get(name) ?? []), target])
}

const allocated = <Plan, Value>(plans: ReadonlySet<Plan>, allocate: (plan: Plan) => Value) =>
  new Map([...plans].map((plan) => [plan, allocate(plan)]))

function createBindable(gpu: Gpu, label: string, byteLength: number): GPUBuffer {
  const limit = Math.min(gpu.device.limits.maxBufferSize, gpu.device.limits.maxStorageBufferBindingSize)
  if (byteLength > limit) {
    throw new BrasaError('out_of_memory', {
      message: `${label} needs a buffer of ${byteLength} bytes and this GPU binds at most ${limit}. Choose a smaller model or quantisation.`,
      details: { byteLength, limit },
    })
  }
  return createStorageBuffer(gpu, label, byteLength)
}
