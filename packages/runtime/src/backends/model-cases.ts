// A real model on a backend against a forward pass of the same file that was written independently, in numpy, as tests.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Executor, greedySettings } from './executor.ts'
import promptLogprobs from './reference/fixtures/smollm2-prompt-logprobs.json'
import smollm2Cases from './reference/fixtures/smollm2-reference.json'

/** A prompt and what the reference answers to it, greedily. */
export interface ModelCase {
  readonly name: string
  readonly text: string
  readonly tokens: readonly number[]
  readonly greedy: readonly number[]
  /** By step, the most likely (token, log-probability) pairs. */
  readonly topLogprobs: readonly (readonly (readonly number[])[])[]
  /** By step, between the two most likely. */
  readonly margin: readonly number[]
}

export interface ModelCasesOptions {
  /** The default model's if left out. */
  readonly cases?: readonly ModelCase[]
  /** Two tokens nearer than this in log-probability are a tie. */
  readonly tie?: number
  /** Scores all tokens but the first, the way a text is scored for a request. Those of the default model are then tested too. */
  readonly score?: (executor: Executor, tokens: Uint32Array) => Promise<readonly number[]>
}

/** Tests of the executor that `open` gives: log-probabilities within `tolerance`, and greedy tokens where there is no tie. */
export function testModelCases(
  open: () => Promise<Executor>,
  tolerance: number,
  { cases = smollm2Cases, tie = 0.02, score }: ModelCasesOptions = {},
): void {
  let executor: Executor

  beforeAll(async () => {
    executor = await open()
  }, 240_000)
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
        for (const [candidate, logprob] of reference.topLogprobs[step] ?? []) {
          const found = result!.topLogprobs.find((entry) => entry.token === candidate)
          worst = Math.max(worst, found === undefined ? Infinity : Math.abs(found.logprob - logprob!))
        }
        if (reference.margin[step]! > tie) expect(result!.token, `step ${step}`).toBe(expected)
        token = expected
      }
      expect(worst).toBeLessThan(tolerance)
      executor.free(sequence)
    },
    300_000,
  )

  if (score === undefined) return
  test.each(['plain', 'code'] as const)(
    '%s: scores, of the prompt and the answer to it',
    async (name) => {
      const { tokens, greedy, topLogprobs } = smollm2Cases.find((each) => each.name === name)!
      const answer = greedy.slice(0, 8)
      const expected = [
        ...promptLogprobs[name],
        ...answer.map((token, step) => topLogprobs[step]!.find(([candidate]) => candidate === token)![1]!),
      ]
      const scores = await score(executor, Uint32Array.from([...tokens, ...answer]))
      expect(scores).toHaveLength(expected.length)
      for (const [index, logprob] of scores.entries()) {
        expect(Math.abs(logprob - expected[index]!)).toBeLessThan(tolerance)
      }
    },
    60_000,
  )
}
