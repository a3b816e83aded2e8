import { BrasaError } from '../../errors.ts'
import type { TensorInfo } from '../../formats/gguf.ts'
import { planeLayout } from '../../quant/blocks.ts'
import { commonLayout } from '../../quant/convert.ts'
import { type PlaneLayout, planeLengths } from '../../quant/planes.ts'
import type { BlockSpec, TransformerSpec } from '../transformer-spec.ts'
import type { Weights } from '../weights.ts'
import { createStorageBuffer, type Gpu } from './gpu.ts'
import type { WeightMatrix } from './weight-matrix.ts'

/** The weights of one model in GPU memory: allocated here, filled by weight-upload.ts. */
export interface DeviceWeights {
  readonly embedding: WeightMatrix
  /** The embedding itself where the two are tied. */
  readonly head: WeightMatrix
  /** (hiddenSize) */
  readonly headNorm: GPUBuffer
  readonly blocks: readonly DeviceBlock[]
  /** Where each tensor's rows go. */
  readonly targets: ReadonlyMap<string, WeightTarget>
  readonly byteLength: number
}

/** Matrices that read the same input are one matrix, so that one dispatch multiplies them all. */
export interface DeviceBlock {
  readonly attentionNorm: GPUBuffer
  /** (numHeads * headDim + 2 * numKvHeads * headDim, hiddenSize): query, key and value rows in this order. */
  readonly queryKeyValue: WeightMatrix
  readonly attentionOutput: WeightMatrix
  readonly mlpNorm: GPUBuffer
  /** (2 * intermediateSize, hiddenSize): gate rows, then up rows. */
  readonly gateUp: WeightMatrix
  readonly down: WeightMatrix
}

export type WeightTarget =
  | { readonly kind: 'matrix'; readonly matrix: WeightMatrix; readonly firstRow: number }
  | { readonly kind: 'vector'; readonly buffer: GPUBuffer }

/**
 * Allocates the planes of every tensor the model uses.
 * @throws BrasaError `out_of_memory` if the adapter cannot hold them
 */
export async function allocateWeights(
  gpu: Gpu,
  spec: TransformerSpec,
  weights: Weights,
): Promise<DeviceWeights> {
  gpu.device.pushErrorScope('out-of-memory')
  const targets = new Map<string, WeightTarget>()
  const matrix = (...names: string[]) => allocateMatrix(gpu, weights, names, targets)
  const vector = (name: string) => allocateVector(gpu, weights, name, targets)

  const embedding = matrix(spec.embedding.weight)
  const block = ({ attention, mlp }: BlockSpec): DeviceBlock => ({
    attentionNorm: vector(attention.norm.weight),
    queryKeyValue: matrix(attention.query.weight, attention.key.weight, attention.value.weight),
    attentionOutput: matrix(attention.output.weight),
    mlpNorm: vector(mlp.norm.weight),
    gateUp: matrix(mlp.gate.weight, mlp.up.weight),
    down: matrix(mlp.down.weight),
  })
  const allocated = {
    embedding,
    head: spec.head.weight === spec.embedding.weight ? embedding : matrix(spec.head.weight),
    headNorm: vector(spec.head.norm.weight),
    blocks: spec.blocks.map(block),
    targets,
  }
  const byteLength = sumOfBuffers(targets)
  const outOfMemory = await gpu.device.popErrorScope()
  if (outOfMemory !== null) {
    throw new BrasaError('out_of_memory', {
      message: `The GPU cannot hold the model's ${Math.ceil(byteLength / 2 ** 20)} MiB of weights. Close other tabs that use the GPU, or choose a smaller model or quantisation.`,
      details: { weightBytes: byteLength },
      cause: outOfMemory,
    })
  }
  return { ...allocated, byteLength }
}

function allocateMatrix(
  gpu: Gpu,
  weights: Weights,
  names: readonly string[],
  targets: Map<string, WeightTarget>,
): WeightMatrix {
  const tensors = names.map((name) => tensorNamed(weights, name))
  const numColumns = tensors[0]!.shape[1]!
  const numRows = tensors.reduce((sum, { shape }) => sum + shape[0]!, 0)
  const [first, ...others] = tensors.map(({ type }) => planeLayout(type))
  const layout = commonLayout([first!, ...others])
  const label = names.join('+')
  const matrix: WeightMatrix = {
    layout,
    numRows,
    numColumns,
    quants: createBindable(gpu, label, planeBytes(layout, numRows * numColumns).quants),
    scales: createBindable(gpu, `${label}.scales`, planeBytes(layout, numRows * numColumns).scales),
  }
  let firstRow = 0
  for (const tensor of tensors) {
    targets.set(tensor.name, { kind: 'matrix', matrix, firstRow })
    firstRow += tensor.shape[0]!
  }
  return matrix
}

function allocateVector(
  gpu: Gpu,
  weights: Weights,
  name: string,
  targets: Map<string, WeightTarget>,
): GPUBuffer {
  const { shape } = tensorNamed(weights, name)
  const buffer = createBindable(gpu, name, shape.reduce((product, size) => product * size, 1) * 4)
  targets.set(name, { kind: 'vector', buffer })
  return buffer
}

function tensorNamed(weights: Weights, name: string): TensorInfo {
  const tensor = weights.tensors.get(name)
  if (tensor === undefined) {
    throw new BrasaError('malformed_model', {
      message: `The model file has no tensor ${name}. Use a complete GGUF file.`,
    })
  }
  return tensor
}

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

/** Bytes that `count` values take in each plane. */
export function planeBytes(layout: PlaneLayout, count: number): { quants: number; scales: number } {
  const { quantWords, scaleFloats } = planeLengths(layout, count)
  return { quants: quantWords * 4, scales: scaleFloats * 4 }
}

function sumOfBuffers(targets: ReadonlyMap<string, WeightTarget>): number {
  const buffers = new Set<GPUBuffer>()
  for (const target of targets.values()) {
    if (target.kind === 'vector') buffers.add(target.buffer)
    else buffers.add(target.matrix.quants).add(target.matrix.scales)
  }
  return [...buffers].reduce((sum, { size }) => sum + size, 0)
}
