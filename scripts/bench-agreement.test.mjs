// @ts-check
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { casesOf, measureAgreement } from '../e2e/bench/agreement.mjs'
import { textOf } from '../e2e/bench/token-bytes.mjs'

const bytes = (/** @type {number[]} */ ...values) => Uint8Array.from(values)

// "a", "b", the first and the second byte of "é", "c"
const tokenBytes = [bytes(97), bytes(98), bytes(0xc3), bytes(0xa9), bytes(99)]

/** @param {number[]} tokens */
const listed = (tokens) => ({ tokens, logprobs: tokens.map((_, at) => -0.1 - at) })

test('positions within a character, and those where part of one is likely, are left out', () => {
  const [only] = casesOf(
    {
      model: 'small',
      sha256: '0',
      positions: [0, 1, 2, 3, 4],
      windows: [
        {
          tokens: [0, 2, 3, 1, 4, 0],
          logprobs: [],
          top: [listed([1, 0]), listed([1, 0]), listed([4, 1]), listed([0, 2]), listed([0, 1])],
        },
      ],
    },
    tokenBytes,
  )
  expect(only?.steps.map(({ position, prefix }) => [position, prefix])).toEqual([
    [0, 'a'],
    [2, 'aé'],
    [4, 'aébc'],
  ])
  expect(only?.tokens).toEqual([0, 2, 3, 1, 4])
  expect(only?.steps[0]?.topLogprobs).toEqual([
    [1, -0.1],
    [0, -1.1],
  ])
})

test('a step that could not be compared is counted, and those after it are compared', async () => {
  const topLogprobs = /** @type {[number, number][]} */ ([
    [1, -0.1],
    [2, -3],
  ])
  const steps = [0, 1, 2].map((position) => ({ position, prefix: 'a', topLogprobs }))
  const agreement = await measureAgreement(
    async () => [topLogprobs, [], topLogprobs],
    [{ name: 'one', tokens: [0, 0, 0], steps }],
  )
  expect(agreement).toMatchObject({ numSteps: 2, numSkipped: 1, numAgreeing: 2 })
})

test('the default model is compared at 200 positions and more', () => {
  const url = new URL('../e2e/bench/fixtures/quality-smollm2-135m-instruct.json', import.meta.url)
  const fixture = JSON.parse(readFileSync(url, 'utf8'))
  const anyText = Array.from({ length: 49_152 }, () => bytes(97))
  const cases = casesOf(fixture, anyText)
  expect(cases.reduce((sum, { steps }) => sum + steps.length, 0)).toBeGreaterThanOrEqual(200)
})

test('bytes that are no whole characters are no text', () => {
  expect(textOf([bytes(0xc3), bytes(0xa9)])).toBe('é')
  expect(textOf([bytes(0xc3)])).toBeUndefined()
})
