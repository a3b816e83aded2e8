import { BrasaError } from '../../errors.ts'
import type { AllowedTokens, SamplingSettings } from '../executor.ts'
import { biasOf, pcg, type TokenCounts } from '../sampling.ts'
import type { Heap } from './heap.ts'
import type { Kernels } from './kernels.ts'

/** Samples where the logits are: what crosses is a token. The rules are those of ../sampling.ts. */
export interface Sampler {
  /**
   * @param logits address of f32 (vocabSize); they stay as they are
   * @param position the index that the token will have in its sequence
   * @throws BrasaError `internal` where no logit is a number
   */
  sample(
    logits: number,
    settings: SamplingSettings,
    counts: TokenCounts,
    position: number,
    allowed?: AllowedTokens,
  ): number
}

export function createSampler(heap: Heap, kernels: Kernels, vocabSize: number): Sampler {
  const scores = heap.allocate(Math.ceil(vocabSize / 8) * 32)
  const scratch = heap.allocate(kernels.drawScratchBytes(vocabSize))
  const maskWords = Math.ceil(vocabSize / 32)
  const mask = heap.allocate(maskWords * 4)
  let seen = { address: 0, capacity: 0 }

  /** The logits that mask and bias leave: a copy, where either does anything. */
  function usable(logits: number, { logitBias }: SamplingSettings, allowed: AllowedTokens): number {
    if (allowed === undefined && logitBias.length === 0) return logits
    if (allowed) {
      const words = heap.words(mask, maskWords)
      words.fill(0)
      words.set(allowed.subarray(0, maskWords))
      kernels.maskLogits(logits, mask, scores, vocabSize)
    } else copy(heap, logits, scores, vocabSize)
    const biased = heap.floats(scores, vocabSize)
    for (const [token, bias] of logitBias) biased[token]! += biasOf(bias)
    return scores
  }

  function penalised(logits: number, settings: SamplingSettings, counts: TokenCounts): number {
    const { repetitionPenalty, frequencyPenalty, presencePenalty } = settings
    if (repetitionPenalty === 1 && frequencyPenalty === 0 && presencePenalty === 0) return logits
    const tokens = new Set([...counts.seen, ...counts.answer.keys()])
    if (tokens.size > seen.capacity) {
      // Twice what is there: a chat that grows does not take memory at every token.
      const capacity = Math.min(vocabSize, Math.max(1024, tokens.size * 2))
      seen = { address: heap.allocate(capacity * 8), capacity }
    }
    const entries = new Int32Array(heap.memory.buffer, seen.address, tokens.size * 2)
    let at = 0
    for (const token of tokens) {
      entries[at] = token
      entries[at + 1] = counts.answer.get(token) ?? 0
      at += 2
    }
    if (logits !== scores) copy(heap, logits, scores, vocabSize)
    kernels.penalise(scores, seen.address, tokens.size, repetitionPenalty, frequencyPenalty, presencePenalty)
    return scores
  }

  return {
    sample(logits, settings, counts, position, allowed) {
      const from = penalised(usable(logits, settings, allowed), settings, counts)
      const { temperature, topK, topP, minP, seed } = settings
      let token: number
      if (temperature === 0) token = kernels.argmax(from, vocabSize)
      else {
        if (from !== scores) copy(heap, logits, scores, vocabSize)
        kernels.scaleLogits(scores, vocabSize, 1 / temperature, 0)
        const base = pcg((position + pcg(seed)) >>> 0)
        token = kernels.draw(scores, vocabSize, topK, topP, Math.log(minP), base, scratch)
      }
      if (token >= 0) return token
      throw new BrasaError('internal', {
        message:
          'The model computed no usable numbers: its file may be damaged. Remove it and load it again.',
      })
    },
  }
}

function copy(heap: Heap, from: number, to: number, count: number): void {
  heap.floats(to, count).set(heap.floats(from, count))
}
