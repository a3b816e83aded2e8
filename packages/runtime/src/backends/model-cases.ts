// The default model on a backend against a float64 forward pass of the same file, as tests.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Executor, greedySettings } from './executor.ts'
import cases from './reference/fixtures/smollm2-reference.json'

/** Two tokens nearer than this in log-probability are a tie. */
const tie = 0.02

/** Tests of the executor that `open` gives: log-probabilities within `tolerance`, and greedy tokens where there is no tie. */
export function testModelCases(open: () => Promise<Executor>, tolerance: number): void {
  let executor: Executor

  beforeAll(async () => {
    executor = await open()
  }, 120_000)
  afterAll(() => executor?.dispose())

  test.each(cases)(
    `$name: log-probabilities within ${tolerance}, greedy tokens where the margin is above ${tie}`,
    async (reference) => {
      const sequence = executor.createSequence()
      executor.configureSampling(sequence, greedySettings, {
        promptTokens: new Uint32Array(0),
        answerTokens: new Uint32Array(0),
      })
      const prompt = Uint32Array.from(reference.tokens)
      await executor.append(sequence, prompt.subarray(0, -1))
      let token = prompt.at(-1)!
      let worst = 0
      for (const [step, expected] of reference.greedy.entries()) {
        // Teacher-forced, so that one tie does not end the comparison.
        const [result] = await executor.step([{ sequence, token, topLogprobs: 20 }])
        for (const [candidate, logprob] of (reference.topLogprobs[step] ?? []) as [number, number][]) {
          const found = result!.topLogprobs.find((entry) => entry.token === candidate)
          worst = Math.max(worst, found === undefined ? Infinity : Math.abs(found.logprob - logprob))
        }
        if (reference.margin[step]! > tie) expect(result!.token, `step ${step}`).toBe(expected)
        token = expected
      }
      expect(worst).toBeLessThan(tolerance)
      executor.free(sequence)
    },
    180_000,
  )
}
