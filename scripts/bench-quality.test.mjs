import { readFileSync, statSync } from 'node:fs'
import { expect, test } from 'vitest'
import { agreementOfWindows, casesOf } from '../e2e/bench/agreement.mjs'
import {
  describeQualities,
  divergenceFrom,
  likelihoodOf,
  resultsOf,
  sharesTokens,
} from '../e2e/bench/quality-report.mjs'
import { numWindows, referencePositions, windowsOf } from '../e2e/bench/quality-windows.mjs'

const fixture = new URL('../e2e/bench/fixtures/quality-smollm2-135m-instruct.json', import.meta.url)
/** @type {import('../e2e/bench/quality-measure.mjs').QualityReference} */
const reference = JSON.parse(readFileSync(fixture, 'utf8'))

/** The reference's own answer, as a backend that is exact would give it. */
const exact = () =>
  reference.windows.map(({ logprobs, top }) => ({
    logprobs,
    compared: top.map(({ tokens, logprobs }) => ({
      best: tokens[0] ?? -1,
      found: tokens.map((token, i) => /** @type {const} */ ([token, logprobs[i] ?? Number.NaN])),
    })),
  }))

test('the reference has 4,000 tokens and more, and 256 positions that are distributions', () => {
  expect(statSync(fixture).size).toBeLessThan(400_000)
  expect(reference.windows).toHaveLength(numWindows)
  expect(reference.positions).toEqual(referencePositions)
  expect(reference.windows.flatMap(({ logprobs }) => logprobs).length).toBeGreaterThan(4000)
  const tops = reference.windows.flatMap(({ top }) => top)
  expect(tops).toHaveLength(256)
  for (const { tokens, logprobs } of tops) {
    expect(new Set(tokens).size).toBe(64)
    expect(logprobs).toEqual([...logprobs].sort((a, b) => b - a))
    expect(logprobs.reduce((sum, logprob) => sum + Math.exp(logprob), 0)).toBeLessThan(1.00001)
  }
  for (const { tokens, logprobs, top } of reference.windows) {
    for (const [i, position] of reference.positions.entries()) {
      const rank = top[i]?.tokens.indexOf(tokens[position + 1] ?? -1) ?? -1
      if (rank >= 0) expect(top[i]?.logprobs[rank]).toBeCloseTo(logprobs[position] ?? 0, 4)
    }
  }
})

test('windows are of equal length, in order', () => {
  const windows = windowsOf(Uint32Array.from({ length: 4485 }, (_, i) => i))
  expect(windows.map((window) => window.length)).toEqual(Array(8).fill(560))
  expect(windows.flat()).toEqual(Array.from({ length: 4480 }, (_, i) => i))
})

test('a choice of four, all as likely, is two bits and a perplexity of four', () => {
  const windows = [Array(5).fill(Math.log(1 / 4)), Array(9).fill(Math.log(1 / 4))]
  const likelihood = likelihoodOf(windows, 3)
  expect(likelihood.numTokens).toBe(6)
  expect(likelihood.bitsPerToken).toBeCloseTo(2)
  expect(likelihood.perplexity).toBeCloseTo(4)
})

test('an exact backend diverges by nothing, a flattened one by much', () => {
  const none = divergenceFrom(reference, exact())
  expect(none).toMatchObject({ numPositions: 256, numAgreeing: 256 })
  expect(none.maxKlDivergence).toBeLessThan(1e-12)
  const flat = exact().map(({ logprobs, compared }) => ({
    logprobs,
    compared: compared.map(({ found }) => ({
      best: 0,
      found: found.map(([token]) => /** @type {const} */ ([token, Math.log(1 / 49_152)])),
    })),
  }))
  const much = divergenceFrom(reference, flat)
  expect(much.meanKlDivergence).toBeGreaterThan(1)
  expect(much.numAgreeing).toBeLessThan(26)
})

test('as far as a peer can be asked, an exact backend agrees everywhere, and one with another favourite nowhere', async () => {
  // Every token is a letter: none is part of a character.
  const cases = casesOf(reference, Array(49_152).fill(Uint8Array.of(97)))
  const agreement = await agreementOfWindows(reference, cases, exact())
  expect(agreement).toMatchObject({ numSteps: 256, numAgreeing: 256 })
  expect(agreement?.maxKlDivergence).toBeLessThan(1e-12)
  const astray = exact().map(({ logprobs, compared }) => ({
    logprobs,
    compared: compared.slice(0, 8).map(({ found }) => ({ best: -1, found })),
  }))
  expect(await agreementOfWindows(reference, cases, astray)).toMatchObject({
    ...{ numSteps: 64, numSkipped: 192, numAgreeing: 0 },
  })
})

test('only a model with the same tokens is held against the reference', () => {
  const windows = reference.windows.map(({ tokens }) => [...tokens])
  expect(sharesTokens(reference, windows)).toBe(true)
  windows[3]?.splice(7, 1, 1)
  expect(sharesTokens(reference, windows)).toBe(false)
})

test('bits are of the positions that every row scored, whatever a peer leaves out', () => {
  const row = {
    model: 'm',
    fileBytes: 1,
    backend: 'b',
    adapter: 'a',
    prefillTokensPerSecond: 1,
    decodeTokensPerSecond: 1,
  }
  const half = exact().map((window) => ({ ...window, logprobs: window.logprobs.slice(0, 100) }))
  const divergence = divergenceFrom(reference, exact())
  const measured = [{ row: { ...row, divergence }, windows: exact() }, { row, windows: half }, { row }]
  const { rows, reference: compared } = resultsOf(measured, reference)
  expect(rows.map(({ common }) => common?.numTokens)).toEqual([800, 800, undefined])
  expect(compared?.common).toEqual(rows[0]?.common)
  expect(resultsOf([{ row }], reference).reference).toBeUndefined()
})

test('the table has a row for each, and says what has no reference', () => {
  const likelihood = { numTokens: 1024, bitsPerToken: 4.5, perplexity: 22.627 }
  const row = {
    model: 'a-model',
    quantisation: 'Q4_0',
    fileBytes: 98_400_000,
    backend: 'webgpu',
    adapter: 'a test',
    scored: likelihood,
    common: likelihood,
    memoryBytes: 1e8,
    prefillTokensPerSecond: 40,
    decodeTokensPerSecond: 9,
    scoredTokensPerSecond: 8,
  }
  const compared = { ...row, divergence: divergenceFrom(reference, exact()) }
  const peer = {
    ...{ model: 'a-model', fileBytes: 98_400_000, backend: 'wllama', adapter: 'CPU', processBytes: 4e8 },
    ...{ prefillTokensPerSecond: 30, decodeTokensPerSecond: 20 },
    agreement: {
      ...{ numSteps: 239, numSkipped: 1, numAgreeing: 231, numDecided: 230, numDecidedAgreeing: 226 },
      ...{ meanKlDivergence: 1.3e-3, maxKlDivergence: 0.1 },
    },
  }
  const text = describeQualities([row, compared, peer], { model: 'source', common: likelihood })
  const [head, first, second, third, source] = text.split('\n')
  expect(third).toMatch(/^a-model +98\.4 MB +wllama +– .* 1\.3e-3 +231 of 239 +– +400\.0 MB +20\.0 tok\/s/)
  expect(head).toContain('bits/token of 1,024')
  expect(first).toContain('no reference')
  expect(second).toContain('256 of 256')
  expect(source).toContain('source, float64')
  expect(text).toContain('a lower bound')
})
