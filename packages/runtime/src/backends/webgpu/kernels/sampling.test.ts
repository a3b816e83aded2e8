import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { greedySettings, type SamplingSettings } from '../../executor.ts'
import { biasOf, filterThreshold, gumbelNoise, penalisedLogits, sampleToken } from '../../sampling.ts'
import { createBatchBuffers, writeBatch } from '../batch.ts'
import { createStorageBuffer } from '../gpu.ts'
import { downloaded, runDispatches, testGpu, uploaded } from '../test-gpu.ts'
import { noise } from './kv-fixture.ts'
import {
  maskWords,
  noToken,
  packMask,
  packSamplingSettings,
  prepareSampling,
  type SamplingVariant,
  samplingSettingsBytes,
} from './sampling.ts'

interface Row {
  readonly logits: Float32Array
  readonly position: number
  readonly settings: SamplingSettings
  readonly prompt?: readonly number[]
  readonly answer?: readonly number[]
  readonly allowed?: Uint32Array | undefined
}

/** Samples every row, row i from slot numRows - 1 - i, `steps` times from the same logits. */
async function sampled(variant: SamplingVariant, rows: readonly Row[], steps = 1) {
  const gpu = await testGpu()
  const vocabSize = rows[0]!.logits.length
  const slotOf = (row: number) => rows.length - 1 - row
  const logits = new Float32Array(rows.length * vocabSize)
  const counts = new Uint32Array(rows.length * vocabSize)
  const settings = new Uint8Array(rows.length * samplingSettingsBytes)
  rows.forEach((row, i) => {
    logits.set(row.logits, i * vocabSize)
    settings.set(new Uint8Array(packSamplingSettings(row.settings)), slotOf(i) * samplingSettingsBytes)
    for (const token of row.answer ?? []) counts[slotOf(i) * vocabSize + token]! += 1
    for (const token of row.prompt ?? []) counts[slotOf(i) * vocabSize + token]! |= 0x8000_0000
  })
  const biases = new Float32Array(rows.length * vocabSize)
  const masks = new Uint32Array(rows.length * maskWords(vocabSize))
  rows.forEach(({ settings, allowed }, i) => {
    for (const [token, bias] of settings.logitBias) biases[slotOf(i) * vocabSize + token] = biasOf(bias)
    masks.set(packMask(allowed), slotOf(i) * maskWords(vocabSize))
  })
  const batch = createBatchBuffers(gpu, 'batch', rows.length)
  writeBatch(
    gpu,
    batch,
    rows.map(({ position }, i) => ({ token: 0, position, sequenceSlot: slotOf(i) })),
  )
  const buffers = {
    logits: uploaded(gpu, logits),
    tokenCounts: uploaded(gpu, counts),
    logitBias: uploaded(gpu, biases),
    masks: uploaded(gpu, masks),
    sampled: createStorageBuffer(gpu, 'sampled', rows.length * 4),
  }
  const dispatches = await prepareSampling(gpu, {
    ...buffers,
    vocabSize,
    batch,
    settings: uploaded(gpu, settings),
    maxRows: rows.length,
    variant,
  })
  expect(dispatches).toHaveLength(2)
  const tokens: number[][] = rows.map(() => [])
  for (let step = 0; step < steps; step++) {
    await runDispatches(gpu, dispatches, rows.length)
    new Uint32Array(await downloaded(gpu, buffers.sampled, rows.length * 4)).forEach((token, i) => {
      tokens[i]!.push(token)
    })
  }
  return {
    tokens,
    rows: new Uint32Array(await downloaded(gpu, batch.rows, rows.length * 16)),
    counts: new Uint32Array(await downloaded(gpu, buffers.tokenCounts, counts.byteLength)),
    logitsUntouched: new Float32Array(await downloaded(gpu, buffers.logits, logits.byteLength)).every(
      (logit, i) => Object.is(logit, logits[i]),
    ),
    slotOf,
  }
}

const countsOf = ({ prompt = [], answer = [] }: Row) => {
  const answerCounts = new Map<number, number>()
  for (const token of answer) answerCounts.set(token, (answerCounts.get(token) ?? 0) + 1)
  return { seen: new Set([...prompt, ...answer]), answer: answerCounts }
}

/**
 * That `token` is the reference's choice, or one that rounding to f32 may put in its place: allowed by the threshold, and with
 * a noisy score as good, or the reference's choice lies on the threshold.
 */
function expectReferenceChoice(row: Row, token: number) {
  const position = row.position + 1
  const expected = sampleToken(row.logits, row.settings, countsOf(row), position, row.allowed)
  if (token === expected) return
  const { temperature, seed } = row.settings
  const scaled = penalisedLogits(row.logits, row.settings, countsOf(row), row.allowed).map(
    (logit) => logit / (temperature || 1),
  )
  const noisy = (t: number) => scaled[t]! + (temperature === 0 ? 0 : gumbelNoise(seed, position, t))
  const threshold = temperature === 0 ? Number.NEGATIVE_INFINITY : filterThreshold(scaled, row.settings)
  const slack = 1e-4 * (1 + Math.abs(scaled[expected]!))
  const message = `sampled ${token}, the reference ${expected}`
  expect(scaled[token]!, message).toBeGreaterThanOrEqual(threshold - slack)
  if (scaled[expected]! > threshold + slack) {
    expect(noisy(token), message).toBeGreaterThanOrEqual(noisy(expected) - slack)
  }
}

const anySettings = fc.record<SamplingSettings>({
  temperature: fc.constantFrom(0, 0.3, 1, 2.5),
  topK: fc.constantFrom(0, 1, 3, 40, 500),
  topP: fc.constantFrom(1, 0.95, 0.5, 0.01),
  minP: fc.constantFrom(0, 0.05, 0.5),
  repetitionPenalty: fc.constantFrom(1, 1.3, 0.8),
  frequencyPenalty: fc.constantFrom(0, 0.7, -0.5),
  presencePenalty: fc.constantFrom(0, 1.1),
  logitBias: fc.constantFrom(
    [],
    [[0, 9]],
    [
      [2, -100],
      [5, 100],
      [6, 100],
    ],
  ),
  seed: fc.integer({ min: 0, max: 0xffff_ffff }),
})

/** A mask of about a token in `sparsity`, and of all without. */
const maskOf = (vocabSize: number, sparsity: number, seed: number): Uint32Array | undefined => {
  if (sparsity === 0) return undefined
  const allowed = new Uint32Array(Math.ceil(vocabSize / 32))
  const keep = (token: number) => {
    allowed[token >>> 5]! |= 1 << (token & 31)
  }
  noise(vocabSize, seed).forEach((x, token) => {
    if (Math.abs(x) < 1 / sparsity) keep(token)
  })
  keep(seed % vocabSize)
  return allowed
}

const vocabSizes = [7, 255, 1003]

describe.each<SamplingVariant>(['serial', 'parallel'])('%s', (variant) => {
  test('agrees with the reference for any settings', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...vocabSizes),
        fc.array(fc.tuple(anySettings, fc.nat(5000), fc.nat(1e6), fc.constantFrom(0, 2, 1000)), {
          minLength: 1,
          maxLength: 6,
        }),
        async (vocabSize, drawn) => {
          const rows = drawn.map(([settings, position, seed, sparsity]): Row => {
            const tokens = Array.from(noise(30, seed + 1), (x) => Math.floor(Math.abs(x) * vocabSize))
            return {
              logits: noise(vocabSize, seed).map((x) => x * 12),
              position,
              settings,
              prompt: tokens.slice(0, 20),
              answer: tokens.slice(10),
              allowed: maskOf(vocabSize, sparsity, seed),
            }
          })
          const { tokens, logitsUntouched } = await sampled(variant, rows)
          rows.forEach((row, i) => {
            const token = tokens[i]![0]!
            expectReferenceChoice(row, token)
            if (row.allowed) expect((row.allowed[token >>> 5]! >>> (token & 31)) & 1).toBe(1)
          })
          expect(logitsUntouched).toBe(true)
        },
      ),
      { numRuns: 15 },
    )
  })

  test('commits the token, the next position and the count', async () => {
    const logits = Float32Array.of(1, 9, 3, 8.5, 2, 0, 0)
    const penalised = { ...greedySettings, frequencyPenalty: 1 }
    const { tokens, rows, counts, slotOf } = await sampled(
      variant,
      [
        { logits, position: 41, settings: penalised, prompt: [1] },
        { logits, position: 7, settings: greedySettings },
      ],
      3,
    )
    expect(tokens).toEqual([
      [1, 3, 1],
      [1, 1, 1],
    ])
    expect([...rows]).toEqual([1, 44, 1, 0, 1, 10, 0, 0])
    expect([...counts.subarray(slotOf(0) * 7, slotOf(0) * 7 + 7)]).toEqual([0, 0x8000_0002, 0, 1, 0, 0, 0])
  })

  test('the lowest token wins ties, and top-k keeps all of them', async () => {
    const logits = new Float32Array(1003).fill(-4)
    for (const token of [900, 501, 37]) logits[token] = 2.5
    const drawn = { ...greedySettings, temperature: 1, topK: 1 }
    const rows = Array.from({ length: 40 }, (_, i) => ({
      logits,
      position: i,
      settings: i === 0 ? greedySettings : drawn,
    }))
    const { tokens } = await sampled(variant, rows)
    expect(tokens[0]).toEqual([37])
    expect(new Set(tokens.flat())).toEqual(new Set([37, 501, 900]))
  })

  test('draws tokens as often as their probabilities say', async () => {
    const logits = Float32Array.of(0, Math.log(2), Math.log(5), Number.NEGATIVE_INFINITY, Math.log(8))
    const settings = { ...greedySettings, temperature: 1, seed: 11 }
    const { tokens } = await sampled(
      variant,
      Array.from({ length: 600 }, (_, position) => ({ logits, position, settings })),
    )
    const counts = [0, 0, 0, 0, 0]
    for (const token of tokens.flat())
      counts[token]! += 1
      // Within four standard deviations.
    ;[1 / 16, 2 / 16, 5 / 16, 0, 8 / 16].forEach((p, token) => {
      expect(Math.abs(counts[token]! / 600 - p)).toBeLessThanOrEqual(4 * Math.sqrt((p * (1 - p)) / 600))
    })
  })

  test('where the mask leaves nothing, nothing is sampled', async () => {
    const logits = noise(255, 3)
    const nothing = new Uint32Array(8)
    const settings = { ...greedySettings, temperature: 1, topK: 3, topP: 0.9 }
    const { tokens } = await sampled(variant, [
      { logits, position: 1, settings, allowed: nothing },
      { logits, position: 1, settings: greedySettings, allowed: nothing },
    ])
    expect(tokens).toEqual([[noToken], [noToken]])
  })

  test('logits that are not numbers neither hang nor leave the vocabulary', async () => {
    const settings = { ...greedySettings, temperature: 1, topK: 3, topP: 0.9, minP: 0.1 }
    const nothing = new Float32Array(255).fill(Number.NaN)
    const some = nothing.map((_, i) => (i === 100 ? 1 : Number.NaN))
    const infinite = nothing.map((_, i) => (i === 50 ? Number.POSITIVE_INFINITY : 0))
    const none = new Float32Array(255).fill(Number.NEGATIVE_INFINITY)
    const { tokens } = await sampled(
      variant,
      [nothing, some, infinite, none].flatMap((logits) => [
        { logits, position: 3, settings },
        { logits, position: 3, settings: greedySettings },
      ]),
    )
    for (const row of [0, 1, 6, 7]) expect(tokens[row]).toEqual([noToken])
    expect(tokens[2]).toEqual([100])
    expect(tokens[3]).toEqual([100])
    expect(tokens[5]).toEqual([50])
  })
})

test('a vocabulary of 262,144 with top-k and top-p', async () => {
  const rows = [0, 1].map((seed) => ({
    logits: noise(262_144, seed + 1).map((x) => x * 9),
    position: 5,
    settings: { ...greedySettings, temperature: 0.7, topK: 262_000, topP: 0.9, seed },
  }))
  const { tokens } = await sampled('serial', rows)
  rows.forEach((row, i) => {
    expectReferenceChoice(row, tokens[i]![0]!)
  })
})
