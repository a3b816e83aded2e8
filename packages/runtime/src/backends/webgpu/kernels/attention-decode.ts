import decodeWgsl from '#shaders/attention_decode.wgsl?raw'
import parallelWgsl from '#shaders/attention_decode_parallel.wgsl?raw'
import quadsWgsl from '#shaders/attention_decode_quads.wgsl?raw'
import mergeWgsl from '#shaders/attention_merge.wgsl?raw'
import { batchWgsl } from '../batch.ts'
import { reads, uniform, writes } from '../bindings.ts'
import { type Dispatch, type KernelSource, prepareDispatch } from '../dispatch.ts'
import type { Gpu } from '../gpu.ts'
import {
  type AttentionBindings,
  attentionInputs,
  attentionVariant,
  headTiling,
  parallelAttentionSource,
  parallelThreads,
  quadsAttentionSource,
  serialAttentionSource,
} from './attention.ts'
import { numSplitsOf } from './attention-parts.ts'

export interface AttentionDecodeBindings extends AttentionBindings {
  /** At least `attentionPartsBytes`, for what the first half leaves to the second */
  readonly parts: GPUBuffer
  /** One dispatch, where the variant can: for contexts too short to be worth a merge. */
  readonly unsplit?: boolean
}

const serialThreads = 4
const mergeThreads = 32

/** Each row attends to the positions of its sequence up to its own. Two dispatches: parts of the keys, then their merge; or one. */
export async function prepareAttentionDecode(
  gpu: Gpu,
  bindings: AttentionDecodeBindings,
): Promise<Dispatch[]> {
  const { shape, output, batch, parts, maxPagesPerSequence } = bindings
  const { numHeads, numKvHeads, headDim } = shape
  const variant = attentionVariant(gpu, bindings)
  const { headTiles, headsPerTile } = headTiling(shape, variant)
  const isUnsplit = bindings.unsplit === true && variant === 'parallel'
  const numSplits = isUnsplit ? 1 : numSplitsOf[variant]

  const label = 'attention_decode'
  const serial = (): KernelSource => serialAttentionSource(label, decodeWgsl, shape, maxPagesPerSequence, 1)
  const parallel = (): KernelSource =>
    parallelAttentionSource(label, parallelWgsl, shape, maxPagesPerSequence, {
      headTiles,
      headsPerTile,
      threads: parallelThreads,
    })
  const quads = (): KernelSource => quadsAttentionSource(label, quadsWgsl, shape, maxPagesPerSequence)
  const source = { serial, parallel, quads }[variant]()
  if (isUnsplit) {
    const whole = await prepareDispatch(
      gpu,
      { ...source, constants: { ...source.constants, numSplits } },
      [...attentionInputs(bindings), writes(output)],
      (numRows) => [1, numKvHeads * headTiles, numRows],
    )
    return [whole]
  }
  const splitGroups = variant === 'serial' ? numSplits / serialThreads : numSplits
  return Promise.all([
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
}
