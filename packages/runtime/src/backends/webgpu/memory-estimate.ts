import type { TensorInfo } from '../../formats/gguf.ts'
import type { MemoryInfo } from '../executor.ts'
import type { TransformerSpec } from '../transformer-spec.ts'
import { activationSizes, chunkTokens } from './activations.ts'
import { planeBytes, type WeightWidth, widthFor } from './device-planes.ts'
import { kvGroups } from './kv-groups.ts'
import { ropeTableBytes } from './rope-tables.ts'
import { type MatrixPlan, partsOf, planWeights } from './weight-plan.ts'

export interface MemoryEstimateOptions {
  /** As `WebGpuOptions` has it. */
  readonly maxBatchSize?: number
  /** A software adapter computes fewer prompt tokens at once, and has wider weights. */
  readonly isSoftware?: boolean
}

/**
 * What `memory()` of a WebGPU executor will report, once one sequence fills its context: computed from a model file's header alone.
 * @throws BrasaError `malformed_model` if a tensor that the description names is missing
 */
export function estimateMemory(
  spec: TransformerSpec,
  tensors: ReadonlyMap<string, TensorInfo>,
  contextLength: number,
  { maxBatchSize = 4, isSoftware = false }: MemoryEstimateOptions = {},
): MemoryInfo {
  const chunk = Math.min(chunkTokens(isSoftware), contextLength)
  const activations = activationSizes(spec, Math.max(chunk, maxBatchSize), maxBatchSize)
  // Token counts of sampling, its biases and its scores.
  const samplingBytes = 3 * maxBatchSize * spec.vocabSize * 4
  return {
    weightBytes: weightBytes(spec, tensors, widthFor({ isSoftware }, 'base')),
    kvCacheBytes: kvGroups(spec, contextLength, chunk).reduce(
      (sum, { pageBytes, pagesPerSequence }) => sum + 2 * pagesPerSequence * total(pageBytes),
      0,
    ),
    otherBytes: total(Object.values(activations)) + ropeTableBytes(spec, contextLength) + samplingBytes,
  }
}

/**
 * Bytes of the largest buffer that the weights take.
 * @throws BrasaError `malformed_model` if a tensor that the description names is missing
 */
export function largestBufferBytes(
  spec: TransformerSpec,
  tensors: ReadonlyMap<string, TensorInfo>,
  { isSoftware = false }: Pick<MemoryEstimateOptions, 'isSoftware'> = {},
): number {
  const { matrices } = partsOf(planWeights(spec, tensors, widthFor({ isSoftware }, 'base')))
  return [...matrices].reduce((most, plan) => Math.max(most, ...Object.values(planesOf(plan))), 0)
}

function weightBytes(
  spec: TransformerSpec,
  tensors: ReadonlyMap<string, TensorInfo>,
  width: WeightWidth,
): number {
  const { matrices, vectors } = partsOf(planWeights(spec, tensors, width))
  return (
    total([...matrices].flatMap((plan) => Object.values(planesOf(plan)))) +
    total([...vectors].map(({ length }) => length * 4))
  )
}

const planesOf = ({ layout, numRows, numColumns }: MatrixPlan) => planeBytes(layout, numRows, numColumns)

const total = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0)
