import decodeWgsl from '#shaders/attention_decode.wgsl?raw'
import mergeWgsl from '#shaders/attention_merge.wgsl?raw'
import { batchWgsl } from '../batch.ts'
import { reads, uniform, writes } from '../bindings.ts'
import { type Dispatch, prepareDispatch } from '../dispatch.ts'
import { createStorageBuffer, type Gpu } from '../gpu.ts'
import { type AttentionBindings, attentionInputs, headTiling, serialAttentionSource } from './attention.ts'

export interface AttentionDecodeBindings extends AttentionBindings {
  readonly maxRows: number
}

/** Threads over which the keys of one KV head are dealt: two lanes' groups of four, so that two CPU threads are both busy. */
const numSplits = 8
const mergeThreads = 32

/**
 * Each row attends to the positions of its sequence up to its own. Two dispatches: parts of the keys, then their merge.
 * `scratch` is for the caller to destroy.
 */
export async function prepareAttentionDecode(
  gpu: Gpu,
  bindings: AttentionDecodeBindings,
): Promise<{ readonly dispatches: Dispatch[]; readonly scratch: GPUBuffer[] }> {
  const { shape, output, batch, maxRows, maxPagesPerSequence } = bindings
  const { numHeads, numKvHeads, headDim } = shape
  const { headTiles } = headTiling(shape)
  const partBytes = (headDim + 4) * 4
  const parts = createStorageBuffer(gpu, 'attention.parts', maxRows * numHeads * numSplits * partBytes)
  const source = serialAttentionSource('attention_decode', decodeWgsl, shape, maxPagesPerSequence)
  const dispatches = await Promise.all([
    prepareDispatch(
      gpu,
      { ...source, constants: { ...source.constants, numSplits } },
      [...attentionInputs(bindings), writes(parts)],
      (numRows) => [numSplits / 4, numKvHeads * headTiles, numRows],
    ),
    prepareDispatch(
      gpu,
      {
        label: 'attention_merge',
        code: `${batchWgsl}\n${mergeWgsl}`,
        constants: { numHeads, headDim, numSplits, threads: mergeThreads },
      },
      [uniform(batch.count), reads(parts), writes(output)],
      (numRows) => [Math.ceil((numHeads * headDim) / 4 / mergeThreads), numRows, 1],
    ),
  ])
  return { dispatches, scratch: [parts] }
}
