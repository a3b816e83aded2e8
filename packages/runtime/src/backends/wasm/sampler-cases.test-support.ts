// Sampling in kernels against the rules of ../sampling.ts, as tests.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { greedySettings, type SamplingSettings } from '../executor.ts'
import { sampleToken, type TokenCounts } from '../sampling.ts'
import { createHeap } from './heap.ts'
import { compileKernels, type FeatureSet, startKernels } from './kernels.ts'
import { createSampler } from './sampler.ts'

const settings: fc.Arbitrary<SamplingSettings> = fc.record({
  temperature: fc.oneof(fc.constant(0), fc.double({ min: 0.05, max: 5, noNaN: true })),
  topK: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 60 })),
  topP: fc.oneof(fc.constant(1), fc.double({ min: 0.01, max: 1, noNaN: true })),
  minP: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 0.5, noNaN: true })),
  repetitionPenalty: fc.oneof(fc.constant(1), fc.double({ min: 0.5, max: 2, noNaN: true })),
  frequencyPenalty: fc.oneof(fc.constant(0), fc.double({ min: -2, max: 2, noNaN: true })),
  presencePenalty: fc.oneof(fc.constant(0), fc.double({ min: -2, max: 2, noNaN: true })),
  logitBias: fc.constantFrom([], [[0, -100]], [[0, 100]], [[0, 3.5]]),
  seed: fc.integer({ min: 0, max: 0xffffffff }),
})

/** Numbers that f32 sums cannot confuse: what differs by rounding alone is no difference in the rules. */
function randomLogits(seed: number, count: number, spread: number): Float32Array {
  let state = seed
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return ((state / 2 ** 32) * 2 - 1) * spread
  })
}

/** At least one token is allowed. */
function randomMask(seed: number, vocabSize: number, density: number): Uint32Array {
  const allowed = new Uint32Array(Math.ceil(vocabSize / 32))
  randomLogits(seed + 1, vocabSize, 1).forEach((x, token) => {
    if (Math.abs(x) < density || token === seed % vocabSize) allowed[token >>> 5]! |= 1 << (token & 31)
  })
  return allowed
}

/** Tests of these kernels. */
export async function testSampler(featureSet: FeatureSet, numRuns: number): Promise<void> {
  const heap = createHeap(false)
  const kernels = await startKernels(await compileKernels(featureSet), heap.memory, false)

  test(`samples by the rules that every backend follows, ${featureSet}`, () => {
    let numCompared = 0
    fc.assert(
      fc.property(
        settings,
        fc.integer({ min: 1, max: 400 }),
        fc.integer({ min: 1, max: 0xffffffff }),
        fc.double({ min: 0.01, max: 60, noNaN: true }),
        fc.array(fc.nat(), { maxLength: 30 }),
        fc.nat(5000),
        fc.option(fc.constantFrom(0.01, 0.5, 1), { nil: undefined }),
        (settings, vocabSize, seed, spread, history, position, density) => {
          const logits = randomLogits(seed, vocabSize, spread)
          const tokens = history.map((token) => token % vocabSize)
          const counts: TokenCounts = {
            seen: new Set(tokens),
            answer: new Map(tokens.slice(0, 9).map((token, index) => [token, 1 + (index % 3)])),
          }
          const address = heap.allocate(vocabSize * 4 + 64)
          heap.floats(address, vocabSize).set(logits)
          const allowed = density === undefined ? undefined : randomMask(seed, vocabSize, density)
          const sampler = createSampler(heap, kernels, vocabSize)
          const token = sampler.sample(address, settings, counts, position, allowed)
          const expected = sampleToken(logits, settings, counts, position, allowed)
          if (allowed) expect((allowed[token >>> 5]! >>> (token & 31)) & 1).toBe(1)
          numCompared += 1
          // Filters cut where sums of f32 and f64 may fall on either side of a token: then the draw may be another one.
          const cut = settings.temperature > 0 && settings.topP < 1
          if (!cut) expect(token).toBe(expected)
          else if (token !== expected) {
            const nearby = [settings.topP * (1 - 1e-5), settings.topP * (1 + 1e-5)].map((topP) =>
              sampleToken(logits, { ...settings, topP }, counts, position, allowed),
            )
            expect(nearby).toContain(token)
          }
          expect([...heap.floats(address, vocabSize)]).toEqual([...logits])
        },
      ),
      { numRuns },
    )
    expect(numCompared).toBeGreaterThanOrEqual(numRuns)
  })

  test(`takes the first of equal tokens, and says where there is no number, ${featureSet}`, () => {
    const sampler = createSampler(heap, kernels, 40)
    const address = heap.allocate(160)
    const counts = { seen: new Set<number>(), answer: new Map<number, number>() }
    heap.floats(address, 40).fill(1)
    expect(sampler.sample(address, greedySettings, counts, 0)).toBe(0)
    heap.floats(address, 40).fill(Number.NaN)
    heap.floats(address, 40)[37] = -3
    expect(sampler.sample(address, greedySettings, counts, 0)).toBe(37)
    expect(sampler.sample(address, { ...greedySettings, temperature: 1 }, counts, 0)).toBe(37)
    heap.floats(address, 40).fill(Number.NaN)
    expect(() => sampler.sample(address, greedySettings, counts, 0)).toThrow(/no usable numbers/)
  })
}
