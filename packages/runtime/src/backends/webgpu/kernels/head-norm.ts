import vectorWgsl from '#shaders/common/query_key_vector.wgsl?raw'
import parallelWgsl from '#shaders/head_norm.wgsl?raw'
import serialWgsl from '#shaders/head_norm_serial.wgsl?raw'
import type { HeadNormSpec } from '../../transformer-spec.ts'
import { type BatchBuffers, batchWgsl } from '../batch.ts'
import { reads, uniform, writes } from '../bindings.ts'
import { type Dispatch, prepareDispatch } from '../dispatch.ts'
import type { Gpu } from '../gpu.ts'
import type { AttentionShape } from './kv-pages.ts'

export interface HeadNorm extends Pick<HeadNormSpec, 'over' | 'epsilon'> {
  /** f32: (headDim) over each head, (heads * headDim) over all */
  readonly gain: GPUBuffer
}

export interface HeadNormBindings {
  /** f32 (rows, (numHeads + 2 numKvHeads) * headDim): queries, keys, values */
  readonly qkv: GPUBuffer
  readonly shape: Pick<AttentionShape, 'numHeads' | 'numKvHeads' | 'headDim'>
  readonly queryNorm: HeadNorm | undefined
  readonly keyNorm: HeadNorm | undefined
  readonly batch: BatchBuffers
  /** `serial` has no barriers, for software adapters; `parallel` is for GPUs. Left out, the adapter decides. */
  readonly variant?: 'serial' | 'parallel'
}

/** RMS norm of queries and keys in place, in one dispatch. At least one of the two norms is there. */
export function prepareHeadNorm(gpu: Gpu, bindings: HeadNormBindings): Promise<Dispatch> {
  const { qkv, shape, queryNorm, keyNorm, batch } = bindings
  const { numHeads, numKvHeads, headDim } = shape
  const serial = (bindings.variant ?? (gpu.isSoftware ? 'serial' : 'parallel')) === 'serial'
  const queries = vectorsOf(queryNorm, numHeads, headDim)
  const keys = vectorsOf(keyNorm, numKvHeads, headDim)
  const numVectors = queries.count + keys.count
  const anyGain = (queryNorm ?? keyNorm)!.gain
  return prepareDispatch(
    gpu,
    {
      label: serial ? 'head_norm_serial' : 'head_norm_parallel',
      code: [batchWgsl, vectorWgsl, serial ? serialWgsl : parallelWgsl].join('\n'),
      constants: {
        rowSize: (numHeads + 2 * numKvHeads) * headDim,
        queryCount: queries.count,
        querySize: queries.size,
        queryEpsilon: queryNorm?.epsilon ?? 0,
        keyOffset: numHeads * headDim,
        keyCount: keys.count,
        keySize: keys.size,
        keyEpsilon: keyNorm?.epsilon ?? 0,
      },
    },
    [uniform(batch.count), writes(qkv), reads(queryNorm?.gain ?? anyGain), reads(keyNorm?.gain ?? anyGain)],
    (numRows) => [serial ? Math.ceil(numVectors / 4) : numVectors, numRows, 1],
  )
}

function vectorsOf(
  norm: HeadNorm | undefined,
  heads: number,
  headDim: number,
): { count: number; size: number } {
  if (norm === undefined) return { count: 0, size: headDim }
  return norm.over === 'head' ? { count: heads, size: headDim } : { count: 1, size: heads * headDim }
}
