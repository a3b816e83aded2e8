import { greedySettings, type PenaltyHistory, type SamplingSettings } from '../executor.ts'
import { createStorageBuffer, type Gpu, writeBuffer } from './gpu.ts'
import { packSamplingSettings, samplingSettingsBytes } from './kernels/sampling.ts'

/** What the sampling kernels read and keep for each sequence slot. */
export interface SamplingState {
  /** (numSlots) packed settings */
  readonly settings: GPUBuffer
  /** u32 (numSlots, vocabSize): bit 31 says that the token is in the prompt, the rest counts it in the answer. */
  readonly tokenCounts: GPUBuffer
  readonly byteLength: number
  configure(slot: number, settings: SamplingSettings, history: PenaltyHistory): void
  /** Greedy and without penalties, whatever the slot's last sequence had. */
  reset(slot: number): void
}

const inPrompt = 0x8000_0000
const noTokens = new Uint32Array(0)
export function createSamplingState(gpu: Gpu, vocabSize: number, numSlots: number): SamplingState {
  const settings = createStorageBuffer(gpu, 'sampling.settings', numSlots * samplingSettingsBytes)
  const tokenCounts = createStorageBuffer(gpu, 'sampling.tokenCounts', numSlots * vocabSize * 4)
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
  }

  return {
    settings,
    tokenCounts,
    byteLength: settings.size + tokenCounts.size,
    configure,
    reset: (slot) => configure(slot, greedySettings, { promptTokens: noTokens, answerTokens: noTokens }),
  }
}
