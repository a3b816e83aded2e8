// @ts-check
import { describe, expect, test } from 'vitest'
import { compareStep, divergenceOf, summarise } from './divergence.mjs'

/** @param {Record<number, number>} probabilities */
const listOf = (probabilities) =>
  Object.entries(probabilities)
    .map(([token, probability]) => /** @type {const} */ ([Number(token), Math.log(probability)]))
    .toSorted((a, b) => b[1] - a[1])

/** @param {readonly number[]} p @param {readonly number[]} q */
const fullDivergence = (p, q) => p.reduce((sum, x, i) => sum + x * Math.log(x / (q[i] ?? 0)), 0)

describe('divergenceOf', () => {
  test('is the divergence where every token is listed', () => {
    // 0.5 ln(0.5 / 0.25) + 0.5 ln(0.5 / 0.75)
    const found = listOf({ 1: 0.25, 2: 0.75 })
    expect(divergenceOf(listOf({ 1: 0.5, 2: 0.5 }), found)).toBeCloseTo(0.14384, 5)
  })

  test('takes what is not listed as one outcome', () => {
    // 0.5 ln(0.5 / 0.4) + 0.5 ln(0.5 / 0.6), wherever the other half lies
    const expected = 0.5 * Math.log(0.5 / 0.4) + 0.5 * Math.log(0.5 / 0.6)
    expect(divergenceOf(listOf({ 1: 0.5 }), listOf({ 1: 0.4, 2: 0.3 }))).toBeCloseTo(expected, 12)
  })

  test('is never above the divergence over the whole vocabulary, and nearer the more is listed', () => {
    const p = [0.4, 0.25, 0.15, 0.1, 0.06, 0.04]
    const q = [0.3, 0.3, 0.05, 0.2, 0.01, 0.14]
    const first = (/** @type {readonly number[]} */ all, /** @type {number} */ count) =>
      listOf(Object.fromEntries(all.slice(0, count).entries()))
    const bounds = [1, 2, 3, 4, 5, 6].map((count) => divergenceOf(first(p, count), first(q, 6)))
    const whole = fullDivergence(p, q)
    expect(bounds).toEqual(bounds.toSorted((a, b) => a - b))
    for (const bound of bounds) expect(bound).toBeLessThanOrEqual(whole + 1e-12)
    expect(bounds.at(-1)).toBeCloseTo(whole, 12)
  })

  test('puts a token that only the reference lists with the others', () => {
    const found = listOf({ 1: 0.5 })
    expect(divergenceOf(listOf({ 1: 0.5, 2: 0.3 }), found)).toBeCloseTo(0, 12)
    expect(divergenceOf(listOf({ 1: 0.6, 2: 0.3 }), found)).toBeCloseTo(
      0.6 * Math.log(0.6 / 0.5) + 0.4 * Math.log(0.4 / 0.5),
      12,
    )
  })

  test('stays finite where rounded probabilities add up to more than one', () => {
    const certain = /** @type {const} */ ([[1, 0.00001]])
    expect(divergenceOf(certain, listOf({ 1: 0.999 }))).toBeCloseTo(0.001, 4)
    expect(divergenceOf(listOf({ 1: 0.9 }), certain)).toBeGreaterThan(0.1)
    expect(divergenceOf(certain, certain)).toBe(0)
  })
})

describe('compareStep', () => {
  const reference = listOf({ 7: 0.6, 8: 0.3 })

  test('agrees by the likeliest token and measures the listed ones', () => {
    const step = compareStep(reference, listOf({ 7: 0.5, 8: 0.4, 9: 0.1 }))
    expect(step).toMatchObject({ agrees: true, isTie: false })
    expect(step.worstLogprobError).toBeCloseTo(Math.log(0.4 / 0.3), 12)
    expect(step.listedMass).toBeCloseTo(0.9, 12)
  })

  test('disagrees where another token is likeliest', () => {
    expect(compareStep(reference, listOf({ 8: 0.5, 7: 0.4 })).agrees).toBe(false)
    expect(compareStep(reference, []).agrees).toBe(false)
  })

  test('names a tie', () => {
    expect(compareStep(listOf({ 7: 0.401, 8: 0.4 }), reference).isTie).toBe(true)
    expect(compareStep(listOf({ 7: 0.41, 8: 0.4 }), reference).isTie).toBe(false)
  })
})

test('summarise counts agreement with ties and without', () => {
  const step = { klDivergence: 0.1, agrees: true, isTie: false, worstLogprobError: 0.2, listedMass: 0.5 }
  const tie = { klDivergence: 0.3, agrees: false, isTie: true, worstLogprobError: 0.1, listedMass: 0.7 }
  const summary = summarise([step, step, { ...step, agrees: false }, tie])
  expect(summary).toMatchObject({ numSteps: 4, numAgreeing: 2, numDecided: 3, numDecidedAgreeing: 2 })
  expect(summary.meanKlDivergence).toBeCloseTo(0.15, 12)
  expect(summary.maxKlDivergence).toBe(0.3)
  expect(summary.worstLogprobError).toBe(0.2)
  expect(summary.meanListedMass).toBeCloseTo(0.55, 12)
  expect(() => summarise([])).toThrow('no step')
})
