import randomWgsl from '#shaders/common/random.wgsl?raw'
import samplingWgsl from '#shaders/common/sampling.wgsl?raw'
import chooseWgsl from '#shaders/sample_choose.wgsl?raw'
import scoresWgsl from '#shaders/sample_scores.wgsl?raw'
import type { AllowedTokens, SamplingSettings } from '../../executor.ts'
import { type BatchBuffers, batchWgsl } from '../batch.ts'
import { reads, uniform, writes } from '../bindings.ts'
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

/** Logits to the next token, by the rules of backends/sampling.ts. Two dispatches, the same for all settings. */
export async function prepareSampling(gpu: Gpu, bindings: SamplingBindings): Promise<Dispatch[]> {
  const { logits, vocabSize, batch, settings, tokenCounts, sampled, maxRows, scratch = [] } = bindings
  const { variant = gpu.isSoftware ? 'serial' : 'parallel' } = bindings
  const { numParts, partThreads, rowThreads } = shaping[variant]
  const scores = createStorageBuffer(gpu, 'sample.scores', maxRows * vocabSize * 4)
  const candidates = createStorageBuffer(gpu, 'sample.candidates', maxRows * numParts * 8)
  scratch.push(scores, candidates)
  const constants = { vocabSize, numParts }
  return Promise.all([
    prepareDispatch(
      gpu,
      {
        label: 'sample_scores',
        code: [batchWgsl, samplingWgsl, scoresWgsl].join('\n'),
        constants: { ...constants, threads: partThreads },
      },
      [
        uniform(batch.count),
        reads(batch.rows),
        reads(settings),
        reads(logits),
        reads(tokenCounts),
        reads(bindings.logitBias),
        reads(bindings.masks),
        writes(scores),
        writes(candidates),
      ],
      (numRows) => [numParts / partThreads, numRows, 1],
    ),
    prepareDispatch(
      gpu,
      {
        label: 'sample_choose',
        code: [batchWgsl, samplingWgsl, randomWgsl, chooseWgsl].join('\n'),
        constants: { ...constants, threads: rowThreads },
      },
      [
        uniform(batch.count),
        writes(batch.rows),
        reads(settings),
        reads(scores),
        reads(candidates),
        writes(tokenCounts),
        writes(sampled),
      ],
      (numRows) => [numRows, 1, 1],
    ),
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
