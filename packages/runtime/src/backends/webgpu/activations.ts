import type { BlockSpec, TransformerSpec } from '../transformer-spec.ts'
import { createStorageBuffer, type Gpu } from './gpu.ts'
import { attentionPartsBytes } from './kernels/attention-parts.ts'

/** Intermediate results of one batch, reused by every layer: each as wide as the widest layer wants it. All f32. */
export interface Activations {
  /** (maxRows, hiddenSize): the residual stream */
  readonly hidden: GPUBuffer
  /** (maxRows, hiddenSize): what a norm gave, or what one is to be applied to */
  readonly normed: GPUBuffer
  /** (maxRows, (numHeads + 2 * numKvHeads) * headDim) */
  readonly queryKeyValue: GPUBuffer
  /** Between the two halves of decode attention, for maxBatchSize rows */
  readonly attentionParts: GPUBuffer
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

/** Prompt tokens a chunk: a multiple of the matmul's token tile; small where a layer of a chunk takes long. */
export const chunkTokens = (isSoftware: boolean): number => (isSoftware ? 48 : 128)

/** Bytes of each. */
export function activationSizes(
  { blocks, hiddenSize, vocabSize }: TransformerSpec,
  maxRows: number,
  maxBatchSize: number,
): Record<keyof Activations, number> {
  const widest = (size: (block: BlockSpec) => number) => Math.max(...blocks.map(size))
  const floats = (rows: number, width: number) => rows * width * 4
  const intermediateSize = widest(({ mlp }) => mlp.intermediateSize)
  const queryKeyValueSize = widest(
    ({ attention: { numHeads, numKvHeads, headDim } }) => (numHeads + 2 * numKvHeads) * headDim,
  )
  return {
    hidden: floats(maxRows, hiddenSize),
    normed: floats(maxRows, hiddenSize),
    queryKeyValue: floats(maxRows, queryKeyValueSize),
    attentionParts: widest(({ attention }) => attentionPartsBytes(attention, maxBatchSize)),
    attended: floats(
      maxRows,
      widest(({ attention }) => attention.numHeads * attention.headDim),
    ),
    gateUp: floats(maxRows, 2 * intermediateSize),
    activated: floats(maxRows, intermediateSize),
    logits: floats(maxBatchSize, vocabSize),
    sampled: floats(maxBatchSize, 1),
  }
}

export function createActivations(
  gpu: Gpu,
  spec: TransformerSpec,
  maxRows: number,
  maxBatchSize: number,
): Activations {
  const sizes = Object.entries(activationSizes(spec, maxRows, maxBatchSize))
  const buffers = sizes.map(([name, bytes]) => [name, createStorageBuffer(gpu, `activations.${name}`, bytes)])
  return Object.fromEntries(buffers)
}
