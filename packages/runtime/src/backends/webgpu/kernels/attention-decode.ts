import decodeWgsl from '#shaders/attention_decode.wgsl?raw'
import parallelWgsl from '#shaders/attention_decode_parallel.wgsl?raw'
import mergeWgsl from '#shaders/attention_merge.wgsl?raw'
import { batchWgsl } from '../batch.ts'
import { reads, uniform, writes } from '../bindings.ts'
import { type Dispatch, type KernelSource, prepareDispatch } from '../dispatch.ts'
import { createStorageBuffer, type Gpu } from '../gpu.ts'
import {
  type AttentionBindings,
  attentionInputs,
  attentionVariant,
  headTiling,
  parallelAttentionSource,
  parallelThreads,
  serialAttentionSource,
} from './attention.ts'

export interface AttentionDecodeBindings extends AttentionBindings {
  readonly maxRows: number
}

/**
 * Parts into which the keys of one KV head are split. Serial: a thread each, two groups of four lanes, so that two CPU
 * threads are both busy (on SwiftShader 16 cost 1.1 times the CPU time at position 2,000, and 4 keep one thread idle).
 * Parallel: a workgroup each, so that a few heads fill a GPU.
 */
const numSplitsOf = { serial: 8, parallel: 16 } as const
const serialThreads = 4
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
  const { headTiles, headsPerTile } = headTiling(shape)
  const variant = attentionVariant(gpu, bindings)
  const numSplits = numSplitsOf[variant]
  const partBytes = (headDim + 4) * 4
  const parts = createStorageBuffer(gpu, 'attention.parts', maxRows * numHeads * numSplits * partBytes)

  const label = 'attention_decode'
  const serial = (): KernelSource => serialAttentionSource(label, decodeWgsl, shape, maxPagesPerSequence, 1)
  const parallel = (): KernelSource =>
    parallelAttentionSource(label, parallelWgsl, shape, maxPagesPerSequence, {
      headTiles,
      headsPerTile,
      threads: parallelThreads,
    })
  const source = variant === 'serial' ? serial() : parallel()
  const splitGroups = variant === 'serial' ? numSplits / serialThreads : numSplits
  const dispatches = await Promise.all([
    prepareDispatch(
      gpu,
      { ...source, constants: { ...source.constants, numSplits } },
      [...attentionInputs(bindings), writes(parts)],
      (numRows) => [splitGroups, numKvHeads * headTiles, numRows],
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
