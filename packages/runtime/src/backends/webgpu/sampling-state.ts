import {
  type AllowedTokens,
  greedySettings,
  type PenaltyHistory,
  type SamplingSettings,
} from '../executor.ts'
import { biasOf } from '../sampling.ts'
import { createStorageBuffer, type Gpu, writeBuffer } from './gpu.ts'
import { maskWords, packMask, packSamplingSettings, samplingSettingsBytes } from './kernels/sampling.ts'

/** What the sampling kernels read and keep for each sequence slot. */
export interface SamplingState {
  /** (numSlots) packed settings */
  readonly settings: GPUBuffer
  /** u32 (numSlots, vocabSize): bit 31 says that the token is in the prompt, the rest counts it in the answer. */
  readonly tokenCounts: GPUBuffer
  /** f32 (numSlots, vocabSize) */
  readonly logitBias: GPUBuffer
  /** u32 (numSlots, words of a mask) */
  readonly masks: GPUBuffer
  readonly byteLength: number
  configure(slot: number, settings: SamplingSettings, history: PenaltyHistory): void
  /** What the slot's next sampling may choose from; without a mask there is nothing to write, unless the one before had one. */
  setMask(slot: number, allowed: AllowedTokens): void
  /** Greedy and without penalties, whatever the slot's last sequence had. */
  reset(slot: number): void
}

const inPrompt = 0x8000_0000
const noTokens = new Uint32Array(0)
export function createSamplingState(gpu: Gpu, vocabSize: number, numSlots: number): SamplingState {
  const settings = createStorageBuffer(gpu, 'sampling.settings', numSlots * samplingSettingsBytes)
  const tokenCounts = createStorageBuffer(gpu, 'sampling.tokenCounts', numSlots * vocabSize * 4)
  const logitBias = createStorageBuffer(gpu, 'sampling.logitBias', numSlots * vocabSize * 4)
  const maskBytes = maskWords(vocabSize) * 4
  const masks = createStorageBuffer(gpu, 'sampling.masks', numSlots * maskBytes)
  const isMasked: boolean[] = new Array(numSlots).fill(false)

  function configure(
    slot: number,
    values: SamplingSettings,
    { promptTokens, answerTokens }: PenaltyHistory,
  ): void {
    const counts = new Uint32Array(vocabSize)
    for (const token of answerTokens) counts[token]! += 1
    for (const token of promptTokens) counts[token] = (counts[token]! | inPrompt) >>> 0
    writeBuffer(gpu, settings, slot * samplingSettingsBytes, new Uint8Array(packSamplingSettings(values)))
    writeBuffer(gpu, tokenCounts, slot * vocabSize * 4, counts)
    if (values.logitBias.length === 0) return
    const biases = new Float32Array(vocabSize)
    for (const [token, bias] of values.logitBias) biases[token] = biasOf(bias)
    writeBuffer(gpu, logitBias, slot * vocabSize * 4, biases)
  }

  return {
    settings,
    tokenCounts,
    logitBias,
    masks,
    byteLength: settings.size + tokenCounts.size + logitBias.size + masks.size,
    configure,
    setMask(slot, allowed) {
      if (!allowed && !isMasked[slot]) return
      writeBuffer(gpu, masks, slot * maskBytes, packMask(allowed))
      isMasked[slot] = allowed !== undefined
    },
    reset: (slot) => configure(slot, greedySettings, { promptTokens: noTokens, answerTokens: noTokens }),
  }
}
