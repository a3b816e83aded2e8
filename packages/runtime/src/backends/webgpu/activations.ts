import type { TransformerSpec } from '../transformer-spec.ts'
import { createStorageBuffer, type Gpu } from './gpu.ts'

/** Intermediate results of one batch, reused by every layer. All f32. */
export interface Activations {
  /** (maxRows, hiddenSize): the residual stream */
  readonly hidden: GPUBuffer
  /** (maxRows, hiddenSize) */
  readonly normed: GPUBuffer
  /** (maxRows, (numHeads + 2 * numKvHeads) * headDim) */
  readonly queryKeyValue: GPUBuffer
  /** (maxRows, numHeads * headDim) */
  readonly attended: GPUBuffer
  /** (maxRows, 2 * intermediateSize) */
  readonly gateUp: GPUBuffer
  /** (maxRows, intermediateSize) */
  readonly activated: GPUBuffer
  /** (maxBatchSize, vocabSize) */
  readonly logits: GPUBuffer
  /** u32 (maxBatchSize): the tokens that the last step sampled */
  readonly sampled: GPUBuffer
}

export function createActivations(
  gpu: Gpu,
  spec: TransformerSpec,
  maxRows: number,
  maxBatchSize: number,
): Activations {
  const widest = (size: (block: TransformerSpec['blocks'][number]) => number) =>
    Math.max(...spec.blocks.map(size))
  const intermediateSize = widest(({ mlp }) => mlp.intermediateSize)
  const floats = (name: string, rows: number, width: number) =>
    createStorageBuffer(gpu, `activations.${name}`, rows * width * 4)
  return {
    hidden: floats('hidden', maxRows, spec.hiddenSize),
    normed: floats('normed', maxRows, spec.hiddenSize),
    queryKeyValue: floats(
      'queryKeyValue',
      maxRows,
      widest(({ attention: { numHeads, numKvHeads, headDim } }) => (numHeads + 2 * numKvHeads) * headDim),
    ),
    attended: floats(
      'attended',
      maxRows,
      widest(({ attention }) => attention.numHeads * attention.headDim),
    ),
    gateUp: floats('gateUp', maxRows, 2 * intermediateSize),
    activated: floats('activated', maxRows, intermediateSize),
    logits: floats('logits', maxBatchSize, spec.vocabSize),
    sampled: floats('sampled', maxBatchSize, 1),
  }
}
