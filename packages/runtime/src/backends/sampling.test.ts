import { describe, expect, it } from 'vitest'
import type { SamplingSettings } from './executor.ts'
import { softmax } from './reference/operations.ts'
import { applyPenalties, filterThreshold, pcg, sampleToken, uniform } from './sampling.ts'

const plain: SamplingSettings = {
  temperature: 1,
  topK: 0,
  topP: 1,
  minP: 0,
  repetitionPenalty: 1,
  frequencyPenalty: 0,
  presencePenalty: 0,
  logitBias: [],
  seed: 9,
}
const nothing = { seen: new Set<number>(), answer: new Map<number, number>() }
const logits = Float64Array.of(1, 3, -1, 2, 3, 0)

/** Tokens at or above the threshold. */
const kept = (settings: Partial<SamplingSettings>, scores = logits) => {
  const threshold = filterThreshold(scores, { ...plain, ...settings })
  return [...scores.keys()].filter((token) => scores[token]! >= threshold)
}

describe('sampleToken', () => {
  it('takes the first of the most likely tokens at temperature 0', () => {
    expect(sampleToken(logits, { ...plain, temperature: 0 }, nothing, 5)).toBe(1)
  })

  it('draws from the softmax', () => {
    const temperature = 1.5
    const numDraws = 40_000
    const drawn = new Array(logits.length).fill(0)
    for (let position = 0; position < numDraws; position++) {
      drawn[sampleToken(logits, { ...plain, temperature }, nothing, position)] += 1
    }
    const expected = softmax(logits.map((logit) => logit / temperature))
    for (const [token, count] of drawn.entries()) {
      const deviation = Math.sqrt((expected[token]! * (1 - expected[token]!)) / numDraws)
      expect(Math.abs(count / numDraws - expected[token]!)).toBeLessThan(4 * deviation)
    }
  })

  it('draws only what the filters keep', () => {
    const drawn = new Set<number>()
    for (let position = 0; position < 2000; position++) {
      drawn.add(sampleToken(logits, { ...plain, temperature: 5, topK: 3 }, nothing, position))
    }
    expect([...drawn].sort()).toEqual([1, 3, 4])
  })

  it('draws only what the mask allows, ties and filters among that alone', () => {
    const settings = { ...plain, temperature: 0 }
    expect(sampleToken(logits, settings, nothing, 5, Uint32Array.of(0b101101))).toBe(3)
    expect(sampleToken(logits, settings, nothing, 5, undefined)).toBe(1)
    const drawn = new Set<number>()
    for (let position = 0; position < 2000; position++) {
      drawn.add(
        sampleToken(
          logits,
          { ...plain, temperature: 5, topK: 2 },
          nothing,
          position,
          Uint32Array.of(0b101101),
        ),
      )
    }
    expect([...drawn].sort()).toEqual([0, 3])
    expect(() => sampleToken(logits, settings, nothing, 5, Uint32Array.of(0))).toThrow('no usable numbers')
  })

  it('adds a bias, whose ends ban and force', () => {
    const sample = (
      logitBias: SamplingSettings['logitBias'],
      position = 0,
      temperature = 0,
      allowed?: Uint32Array,
    ) => sampleToken(logits, { ...plain, temperature, logitBias }, nothing, position, allowed)
    expect(sample([[3, 1.5]])).toBe(3)
    expect(sample([[1, -0.5]])).toBe(4)
    for (let position = 0; position < 500; position++) {
      expect(sample([[2, 100]], position, 5)).toBe(2)
      expect([1, 4]).not.toContain(
        sample(
          [
            [1, -100],
            [4, -100],
          ],
          position,
          5,
        ),
      )
    }
    expect(sample([[1, -100]], 0, 1, Uint32Array.of(0b10))).toBe(1)
  })

  it('gives the same token for the same seed, and others for another', () => {
    const draw = (seed: number) =>
      Array.from({ length: 40 }, (_, position) => sampleToken(logits, { ...plain, seed }, nothing, position))
    expect(draw(1)).toEqual(draw(1))
    expect(draw(1)).not.toEqual(draw(2))
  })

  it('refuses logits that are not numbers', () => {
    for (const temperature of [0, 1]) {
      const settings = { ...plain, temperature, topP: 0.5 }
      expect(() => sampleToken(new Float64Array(4).fill(Number.NaN), settings, nothing, 0)).toThrow(
        'no usable numbers',
      )
    }
  })
})

describe('filterThreshold', () => {
  it('keeps all by default', () => {
    expect(kept({})).toHaveLength(logits.length)
    expect(kept({ topK: 100 })).toHaveLength(logits.length)
  })

  it('keeps the k most likely, with ties', () => {
    expect(kept({ topK: 1 })).toEqual([1, 4])
    expect(kept({ topK: 3 })).toEqual([1, 3, 4])
  })

  it('keeps the smallest set that reaches topP', () => {
    const scores = Float64Array.of(Math.log(0.5), Math.log(0.3), Math.log(0.15), Math.log(0.05))
    expect(kept({ topP: 0.45 }, scores)).toEqual([0])
    expect(kept({ topP: 0.79 }, scores)).toEqual([0, 1])
    expect(kept({ topP: 0.81 }, scores)).toEqual([0, 1, 2])
    // Of what top-k left, the first token alone has 0.5 / 0.8.
    expect(kept({ topK: 2, topP: 0.6 }, scores)).toEqual([0])
  })

  it('keeps tokens at least minP times as likely as the best', () => {
    const scores = Float64Array.of(Math.log(0.5), Math.log(0.3), Math.log(0.15), Math.log(0.05))
    expect(kept({ minP: 0.29 }, scores)).toEqual([0, 1, 2])
    expect(kept({ minP: 0.31 }, scores)).toEqual([0, 1])
    expect(kept({ minP: 1 })).toEqual([1, 4])
  })
})

describe('applyPenalties', () => {
  it('scales tokens that were seen, and lowers those of the answer by their count', () => {
    const settings = { ...plain, repetitionPenalty: 2, frequencyPenalty: 0.25, presencePenalty: 0.5 }
    const counts = { seen: new Set([0, 2, 3]), answer: new Map([[3, 2]]) }
    expect([...applyPenalties(logits, settings, counts)]).toEqual([0.5, 3, -2, 1 - 0.5 - 0.5, 3, 0])
  })
})

describe('the random numbers', () => {
  it('are those of 32-bit wrapping arithmetic', () => {
    expect([0, 1, 123456789, 2 ** 32 - 1].map(pcg)).toEqual([129708002, 2831084092, 4272394698, 3861530882])
    expect([uniform(0, 0, 0), uniform(4_000_000_000, 77, 49_151)]).toEqual([
      0.49947670102119446, 0.9503847062587738,
    ])
  })
})
