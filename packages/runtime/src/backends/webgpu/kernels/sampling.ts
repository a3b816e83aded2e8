import randomWgsl from '#shaders/common/random.wgsl?raw'
import samplingWgsl from '#shaders/common/sampling.wgsl?raw'
import commitWgsl from '#shaders/sample_commit.wgsl?raw'
import drawWgsl from '#shaders/sample_draw.wgsl?raw'
import scoresWgsl from '#shaders/sample_scores.wgsl?raw'
import thresholdWgsl from '#shaders/sample_threshold.wgsl?raw'
import type { AllowedTokens, SamplingSettings } from '../../executor.ts'
import { type BatchBuffers, batchWgsl } from '../batch.ts'
import { type Binding, reads, uniform, writes } from '../bindings.ts'
import { type Dispatch, prepareDispatch } from '../dispatch.ts'
import { createStorageBuffer, type Gpu } from '../gpu.ts'

export interface SamplingBindings {
  /** f32 (rows, vocabSize); left as it is. */
  readonly logits: GPUBuffer
  readonly vocabSize: number
  /** Rows get the sampled token and the next position. */
  readonly batch: BatchBuffers
  /** (sequence slots) of what `packSamplingSettings` packs */
  readonly settings: GPUBuffer
  /** u32 (sequence slots, vocabSize): bit 31 for tokens of the prompt, the rest counts them in the answer. */
  readonly tokenCounts: GPUBuffer
  /** f32 (sequence slots, vocabSize), read for slots whose settings say so */
  readonly logitBias: GPUBuffer
  /** u32 (sequence slots, `maskWords`) of what `packMask` packs */
  readonly masks: GPUBuffer
  /** u32 (rows) */
  readonly sampled: GPUBuffer
  readonly maxRows: number
  /** Takes the buffers that are created here, for the caller to destroy. */
  readonly scratch?: GPUBuffer[]
  readonly variant?: SamplingVariant
}

/** What `sampled` holds for a row without a logit that is a number above minus infinity. */
export const noToken = 0xffff_ffff

/** `serial`: few threads with much work each, for software adapters. `parallel`: many with little, for GPUs. */
export type SamplingVariant = 'serial' | 'parallel'

/**
 * Parts that a row's tokens are dealt out to, threads of a workgroup that takes parts, and of one that takes a whole row.
 * On SwiftShader with 49,152 tokens: greedy 1.9 ms of CPU time, top-k and top-p 15 ms, 12 of them the threshold.
 */
const shaping = {
  serial: { numParts: 64, partThreads: 4, rowThreads: 4 },
  // 128 and not 256 threads a row: each keeps 64 bytes of sums in workgroup memory, which is 16 KiB.
  parallel: { numParts: 2048, partThreads: 64, rowThreads: 128 },
} as const

/** Logits to the next token, by the rules of backends/sampling.ts. Four dispatches, the same for all settings. */
export async function prepareSampling(gpu: Gpu, bindings: SamplingBindings): Promise<Dispatch[]> {
  const { logits, vocabSize, batch, settings, tokenCounts, sampled, maxRows, scratch = [] } = bindings
  const { variant = gpu.isSoftware ? 'serial' : 'parallel' } = bindings
  const { numParts, partThreads, rowThreads } = shaping[variant]
  const scores = createStorageBuffer(gpu, 'sample.scores', maxRows * vocabSize * 4)
  const candidates = createStorageBuffer(gpu, 'sample.candidates', maxRows * numParts * 8)
  const thresholds = createStorageBuffer(gpu, 'sample.thresholds', maxRows * 4)
  scratch.push(scores, candidates, thresholds)
  const batchInputs = [uniform(batch.count), reads(batch.rows)]

  const perPart = (label: string, code: string, buffers: Binding[]) =>
    prepareDispatch(
      gpu,
      {
        label,
        code: [batchWgsl, samplingWgsl, code].join('\n'),
        constants: { vocabSize, numParts, threads: partThreads },
      },
      buffers,
      (numRows) => [numParts / partThreads, numRows, 1],
    )
  const perRow = (label: string, code: string, buffers: Binding[]) =>
    prepareDispatch(
      gpu,
      {
        label,
        code: [batchWgsl, samplingWgsl, code].join('\n'),
        constants: { vocabSize, numParts, threads: rowThreads },
      },
      buffers,
      (numRows) => [numRows, 1, 1],
    )
  return Promise.all([
    perPart('sample_scores', scoresWgsl, [
      ...batchInputs,
      reads(settings),
      reads(logits),
      reads(tokenCounts),
      reads(bindings.logitBias),
      reads(bindings.masks),
      writes(scores),
      writes(candidates),
    ]),
    perRow('sample_threshold', thresholdWgsl, [
      ...batchInputs,
      reads(settings),
      reads(scores),
      reads(candidates),
      writes(thresholds),
    ]),
    perPart('sample_draw', `${randomWgsl}\n${drawWgsl}`, [
      ...batchInputs,
      reads(settings),
      reads(scores),
      reads(thresholds),
      writes(candidates),
    ]),
    perRow('sample_commit', commitWgsl, [
      uniform(batch.count),
      writes(batch.rows),
      reads(candidates),
      writes(tokenCounts),
      writes(sampled),
    ]),
  ])
}

export const samplingSettingsBytes = 36

/** One sequence's settings as `SamplingSettings` of shaders/common/sampling.wgsl. */
export function packSamplingSettings(settings: SamplingSettings): ArrayBuffer {
  const bytes = new ArrayBuffer(samplingSettingsBytes)
  const floats = new Float32Array(bytes, 0, 6)
  floats.set([
    settings.temperature,
    settings.topP,
    settings.minP,
    settings.repetitionPenalty,
    settings.frequencyPenalty,
    settings.presencePenalty,
  ])
  new Uint32Array(bytes, 24, 3).set([settings.topK, settings.seed, settings.logitBias.length > 0 ? 1 : 0])
  return bytes
}

/** Words of one slot's mask: whether there is one, then a bit a token. */
export const maskWords = (vocabSize: number): number => 1 + Math.ceil(vocabSize / 32)

/** A slot's words of `masks`; of no mask, only the first. */
export function packMask(allowed: AllowedTokens): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(1 + (allowed?.length ?? 0))
  if (!allowed) return words
  words[0] = 1
  words.set(allowed, 1)
  return words
}
