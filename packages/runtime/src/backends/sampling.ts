// Logits to a token. Every backend samples by these rules, in this order, so that a seed gives the same answer on all.

import { BrasaError } from '../errors.ts'
import type { AllowedTokens, SamplingSettings } from './executor.ts'

/** f32 or f64. */
type Numbers = Float32Array | Float64Array

/** What penalties see: which tokens occurred at all, and how often each is in the answer. */
export interface TokenCounts {
  readonly seen: ReadonlySet<number>
  readonly answer: ReadonlyMap<number, number>
}

/**
 * The next token. `position` is the index it will have in its sequence. First the mask, then the bias, penalties, temperature, filters.
 * Greedy at temperature 0, else by the Gumbel-max trick: the argmax of logit / temperature plus Gumbel noise, over the
 * tokens that pass the filters, is a draw from their softmax. Ties go to the lowest token.
 * @throws BrasaError `internal` where logits are not numbers
 */
export function sampleToken(
  logits: Numbers,
  settings: SamplingSettings,
  counts: TokenCounts,
  position: number,
  allowed?: AllowedTokens,
): number {
  const penalised = penalisedLogits(logits, settings, counts, allowed)
  const { temperature, seed } = settings
  if (temperature === 0) return argmax(penalised)
  const scaled = penalised.map((logit) => logit / temperature)
  const threshold = filterThreshold(scaled, settings)
  return argmax(
    scaled.map((score, token) =>
      score >= threshold ? score + gumbelNoise(seed, position, token) : Number.NEGATIVE_INFINITY,
    ),
  )
}

/** Logits after the mask, the bias and the penalties. */
export function penalisedLogits(
  logits: Numbers,
  settings: SamplingSettings,
  counts: TokenCounts,
  allowed?: AllowedTokens,
): Float64Array {
  const usable = Float64Array.from(logits)
  if (allowed) {
    for (let token = 0; token < usable.length; token++) {
      if (!((allowed[token >>> 5]! >>> (token & 31)) & 1)) usable[token] = Number.NEGATIVE_INFINITY
    }
  }
  for (const [token, bias] of settings.logitBias) usable[token]! += biasOf(bias)
  return applyPenalties(usable, settings, counts)
}

/**
 * What a bias adds to a logit. At its ends it decides, whatever the temperature and the penalties; it stays a number, so that
 * among tokens that are all banned or all forced the model still chooses.
 */
export function biasOf(bias: number): number {
  return Math.abs(bias) < 100 ? bias : 10_000 * Math.sign(bias)
}

/** Repetition penalty (Keskar et al. 2019, section 4.1), then OpenAI's frequency and presence penalties. */
export function applyPenalties(
  logits: Numbers,
  settings: SamplingSettings,
  counts: TokenCounts,
): Float64Array {
  const { repetitionPenalty, frequencyPenalty, presencePenalty } = settings
  const penalised = Float64Array.from(logits)
  for (const token of counts.seen) {
    const logit = penalised[token]!
    penalised[token] = logit > 0 ? logit / repetitionPenalty : logit * repetitionPenalty
  }
  for (const [token, count] of counts.answer) {
    penalised[token]! -= frequencyPenalty * count + (count > 0 ? presencePenalty : 0)
  }
  return penalised
}

/**
 * The lowest score (logit / temperature) that may be drawn: the highest of
 * - top-k: the k-th largest score; ties with it stay;
 * - top-p: the largest t for which tokens with score >= t hold at least topP of the probability that top-k left;
 * - min-p: minP times the probability of the most likely token.
 */
export function filterThreshold(scaled: Numbers, { topK, topP, minP }: SamplingSettings): number {
  let threshold = Number.NEGATIVE_INFINITY
  const sorted = Float64Array.from(scaled).sort().reverse()
  const largest = sorted[0]!
  if (topK > 0 && topK < sorted.length) threshold = sorted[topK - 1]!
  if (topP < 1) {
    const kept = sorted.filter((score) => score >= threshold)
    const total = kept.reduce((sum, score) => sum + Math.exp(score - largest), 0)
    let mass = 0
    for (const score of kept) {
      mass += Math.exp(score - largest)
      threshold = score
      if (mass >= topP * total) break
    }
  }
  if (minP > 0) threshold = Math.max(threshold, largest + Math.log(minP))
  return threshold
}

/** -ln(-ln(u)), u uniform in (0, 1) with 24 bits, a pure function of seed, position and token. */
export function gumbelNoise(seed: number, position: number, token: number): number {
  return -Math.log(-Math.log(uniform(seed, position, token)))
}

export function uniform(seed: number, position: number, token: number): number {
  const hash = pcg((token + pcg((position + pcg(seed)) >>> 0)) >>> 0)
  return ((hash >>> 8) + 0.5) * 2 ** -24
}

/** A 32-bit hash: one step of PCG-RXS-M-XS (O'Neill 2014), as Jarzynski & Olano 2020 use it on GPUs. */
export function pcg(value: number): number {
  const state = (Math.imul(value, 747796405) + 2891336453) >>> 0
  const word = Math.imul((state >>> ((state >>> 28) + 4)) ^ state, 277803737) >>> 0
  return ((word >>> 22) ^ word) >>> 0
}

function argmax(scores: Numbers): number {
  let best = -1
  let bestScore = Number.NEGATIVE_INFINITY
  for (let token = 0; token < scores.length; token++) {
    if (scores[token]! > bestScore) {
      best = token
      bestScore = scores[token]!
    }
  }
  if (best < 0)
    throw new BrasaError('internal', {
      message: 'The model computed no usable numbers: its file may be damaged. Remove it and load it again.',
    })
  return best
}
