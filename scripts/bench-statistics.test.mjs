// @ts-check
import { expect, test } from 'vitest'
import { promptOf } from '../e2e/bench/prompts.mjs'
import { ratioWithinRounds, spreadOf, summaryOf } from '../e2e/bench/statistics.mjs'
import { parseTests } from '../e2e/bench/tests.mjs'

/** @param {Record<number, number>} values by round */
const runs = (values) =>
  Object.entries(values).map(([round, value]) => ({
    round: Number(round),
    value,
    promptTokens: 8,
    answerTokens: 8,
  }))

test('min, median and max of odd and even counts', () => {
  expect(summaryOf([3, 1, 2])).toEqual({ min: 1, median: 2, max: 3 })
  expect(summaryOf([4, 1, 2, 3])).toEqual({ min: 1, median: 2.5, max: 4 })
  expect(summaryOf([7])).toEqual({ min: 7, median: 7, max: 7 })
  expect(() => summaryOf([])).toThrow()
  expect(spreadOf([90, 100, 110])).toBeCloseTo(0.2)
})

test('a ratio is taken within a round, so that a slow hour of the machine goes out of it', () => {
  // Always twice as fast, while the machine halves and quarters: the ratio of the medians would say 2 too, of the first and last 8.
  const ratio = ratioWithinRounds(runs({ 1: 40, 2: 20, 3: 10 }), runs({ 1: 20, 2: 10, 3: 5 }), true)
  expect(ratio).toEqual({ min: 2, median: 2, max: 2, perRound: [2, 2, 2] })
  // The medians are both 20; two of three rounds it was slower.
  const mixed = ratioWithinRounds(runs({ 1: 20, 2: 10, 3: 40 }), runs({ 1: 40, 2: 20, 3: 10 }), true)
  expect(mixed).toMatchObject({ min: 0.5, median: 0.5, max: 4 })
})

test('of times, the shorter is the faster; a round without both does not count', () => {
  expect(ratioWithinRounds(runs({ 1: 10, 2: 10 }), runs({ 1: 20, 3: 99 }), false)).toMatchObject({
    median: 2,
    perRound: [2],
  })
  expect(ratioWithinRounds(runs({ 1: 10 }), runs({ 2: 10 }), true)).toBeUndefined()
})

test('no two prompts of a run begin alike', () => {
  const openings = Array.from({ length: 2000 }, (_, index) =>
    promptOf(index, 16).split(' ').slice(0, 4).join(' '),
  )
  expect(new Set(openings).size).toBe(openings.length)
  expect(promptOf(5, 128).trim().split(' ')).toHaveLength(128)
  expect(promptOf(5, 128).split(' ')[1]).not.toBe(promptOf(6, 128).split(' ')[1])
})

test('tests are read from their names, and a wrong name says which there are', () => {
  const ids = 'pp128,pp512,tg64,tg128,ttft,load,batch4,ctx2048'
  expect(
    parseTests(ids)
      .map(({ id }) => id)
      .join(),
  ).toBe(ids)
  expect(parseTests('pp512')[0]).toMatchObject({ kind: 'prefill', promptTokens: 512, answerTokens: 1 })
  expect(parseTests('batch4')[0]).toMatchObject({ kind: 'batch', streams: 4 })
  for (const wrong of ['', 'pp', 'tg1', 'speed', 'batch1', 'load2']) expect(() => parseTests(wrong)).toThrow()
})
