import type { TransformerSpec } from '../transformer-spec.ts'
import type { BatchBuffers } from './batch.ts'
import type { DecodeVariant } from './decode-variant.ts'
import type { DecoderBuffers, StepBuffers } from './decoder-buffers.ts'
import { prepareLayer } from './decoder-layer.ts'
import { type FusedDecode, prepareFusedDecode, unsplitPositions } from './decoder-plan-fused.ts'
import type { Dispatch } from './dispatch.ts'
import type { Gpu } from './gpu.ts'
import { prepareEmbed } from './kernels/embed.ts'
import { prepareMatvec } from './kernels/matvec.ts'
import { prepareRmsNorm } from './kernels/rms-norm.ts'
import { prepareSampling } from './kernels/sampling.ts'

/** One forward pass as a fixed list of dispatches, replayed at every step. */
export interface DecoderPlan {
  /** Token embedding, all layers and head: a decode step of rows that have at most `numPositions` positions each, up to its logits. */
  forward(numPositions: number): readonly Dispatch[]
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
  variant: DecodeVariant = 'base',
): Promise<DecoderPlan> {
  const { activations, decodeBatch, prefillBatch, sampling, cache } = buffers
  const scratch: GPUBuffer[] = []
  const steps = prepareSteps(gpu, spec, buffers, { variant, scratch, upTo: 'logits' })
  const prefillLayers = layersOf(gpu, spec, buffers, 'prefill', prefillBatch)
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
  const { short, long } = await steps
  return {
    forward: (numPositions) => (numPositions > unsplitPositions ? long : short),
    sample: await sample,
    prefill: [[await embeddingOf(gpu, spec, buffers, prefillBatch)], ...(await Promise.all(prefillLayers))],
    cacheGeneration: cache.generation,
    scratchBytes: scratch.reduce((sum, { size }) => sum + size, 0),
    destroy() {
      for (const buffer of scratch) buffer.destroy()
    },
  }
}

interface StepOptions {
  readonly variant: DecodeVariant
  /** Gets the buffers that the step needs for itself. */
  readonly scratch: GPUBuffer[]
  /** `layers` leaves the head out. */
  readonly upTo: 'layers' | 'logits'
}

/** A decode step for each length of context, as `variant` builds it. */
export async function prepareSteps(
  gpu: Gpu,
  spec: TransformerSpec,
  buffers: StepBuffers,
  { variant, scratch, upTo }: StepOptions,
): Promise<FusedDecode> {
  if (variant !== 'base') {
    const kernels = variant === 'quads' ? 'quads' : 'parallel'
    return prepareFusedDecode(gpu, spec, buffers, kernels, scratch, upTo)
  }
  const { decodeBatch } = buffers
  const [embedding, head, ...blocks] = await Promise.all([
    embeddingOf(gpu, spec, buffers, decodeBatch),
    upTo === 'logits' ? prepareHead(gpu, spec, buffers) : [],
    ...layersOf(gpu, spec, buffers, 'decode', decodeBatch),
  ])
  const step = [embedding, ...blocks.flat(), ...head]
  return { short: step, long: step }
}

function embeddingOf(gpu: Gpu, spec: TransformerSpec, buffers: StepBuffers, batch: BatchBuffers) {
  const { weights, activations } = buffers
  const { scale } = spec.embedding
  return prepareEmbed(gpu, { table: weights.embedding, scale, batch, output: activations.hidden })
}

function layersOf(
  gpu: Gpu,
  { blocks, hiddenSize }: TransformerSpec,
  { weights, cache, ropeTables, activations }: StepBuffers,
  phase: 'decode' | 'prefill',
  batch: BatchBuffers,
): Promise<Dispatch[]>[] {
  const { layers } = cache
  return blocks.map((block, index) =>
    prepareLayer({
      ...{ gpu, phase, hiddenSize, block, ropeTables, activations, batch },
      weights: weights.blocks[index]!,
      kv: layers[index]!,
    }),
  )
}

function prepareHead(
  gpu: Gpu,
  { head, hiddenSize }: TransformerSpec,
  buffers: StepBuffers,
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
