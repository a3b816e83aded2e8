import type { TransformerSpec } from '../transformer-spec.ts'
import type { Activations } from './activations.ts'
import type { BatchBuffers } from './batch.ts'
import { prepareLayer } from './decoder-layer.ts'
import type { DeviceWeights } from './device-weights.ts'
import type { Dispatch } from './dispatch.ts'
import type { Gpu } from './gpu.ts'
import { prepareEmbed } from './kernels/embed.ts'
import { prepareMatvec } from './kernels/matvec.ts'
import { prepareRmsNorm } from './kernels/rms-norm.ts'
import { prepareSampling } from './kernels/sampling.ts'
import type { KvCache } from './kv-cache.ts'
import type { RopeTables } from './rope-tables.ts'
import type { SamplingState } from './sampling-state.ts'

/** Everything the dispatches of a model bind. */
export interface DecoderBuffers {
  readonly weights: DeviceWeights
  readonly activations: Activations
  readonly cache: KvCache
  readonly ropeTables: RopeTables
  readonly sampling: SamplingState
  readonly decodeBatch: BatchBuffers
  readonly prefillBatch: BatchBuffers
}

/** One forward pass as a fixed list of dispatches, replayed at every step. */
export interface DecoderPlan {
  /** Token embedding, all layers and head: a decode step up to its logits. */
  readonly forward: readonly Dispatch[]
  /** Logits to the next token. */
  readonly sample: readonly Dispatch[]
  /** Token embedding, then one list a layer: a prefill chunk, which needs no logits. */
  readonly prefill: readonly (readonly Dispatch[])[]
  /** The cache generation that these dispatches bind. */
  readonly cacheGeneration: number
  /** Of the buffers that `destroy` frees. */
  readonly scratchBytes: number
  destroy(): void
}

/** Compiles every pipeline (or finds it compiled) and binds the buffers as they are now. */
export async function prepareDecoder(
  gpu: Gpu,
  spec: TransformerSpec,
  buffers: DecoderBuffers,
): Promise<DecoderPlan> {
  const { weights, activations, decodeBatch, prefillBatch, sampling, cache } = buffers
  const scratch: GPUBuffer[] = []
  const embed = (batch: BatchBuffers) =>
    prepareEmbed(gpu, {
      table: weights.embedding,
      scale: spec.embedding.scale,
      batch,
      output: activations.hidden,
    })
  const layers = (phase: 'decode' | 'prefill', batch: BatchBuffers) =>
    spec.blocks.map((block, index) =>
      prepareLayer({
        gpu,
        phase,
        hiddenSize: spec.hiddenSize,
        block,
        weights: weights.blocks[index]!,
        kv: cache.layers[index]!,
        ropeTables: buffers.ropeTables,
        activations,
        batch,
      }),
    )
  const decodeLayers = layers('decode', decodeBatch)
  const prefillLayers = layers('prefill', prefillBatch)
  const head = prepareHead(gpu, spec, buffers)
  const sample = prepareSampling(gpu, {
    logits: activations.logits,
    vocabSize: spec.vocabSize,
    batch: decodeBatch,
    settings: sampling.settings,
    tokenCounts: sampling.tokenCounts,
    logitBias: sampling.logitBias,
    masks: sampling.masks,
    sampled: activations.sampled,
    maxRows: decodeBatch.maxRows,
    scratch,
  })
  return {
    forward: [await embed(decodeBatch), ...(await Promise.all(decodeLayers)).flat(), ...(await head)],
    sample: await sample,
    prefill: [[await embed(prefillBatch)], ...(await Promise.all(prefillLayers))],
    cacheGeneration: cache.generation,
    scratchBytes: scratch.reduce((sum, { size }) => sum + size, 0),
    destroy() {
      for (const buffer of scratch) buffer.destroy()
    },
  }
}

function prepareHead(
  gpu: Gpu,
  { head, hiddenSize }: TransformerSpec,
  buffers: DecoderBuffers,
): Promise<Dispatch[]> {
  const { hidden, normed, logits } = buffers.activations
  const { weights, decodeBatch: batch } = buffers
  return Promise.all([
    prepareRmsNorm(gpu, {
      input: hidden,
      gain: weights.headNorm,
      output: normed,
      hiddenSize,
      epsilon: head.norm.epsilon,
      batch,
    }),
    prepareMatvec(gpu, {
      weights: weights.head,
      input: normed,
      output: logits,
      epilogue: 'store',
      scale: head.scale,
      softCap: head.softCap,
      batch,
    }),
  ])
}
