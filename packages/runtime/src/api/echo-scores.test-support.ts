import type OpenAI from 'openai'
import { expect, test } from 'vitest'
import promptLogprobs from '../backends/reference/fixtures/smollm2-prompt-logprobs.json'
import cases from '../backends/reference/fixtures/smollm2-reference.json'
import { model } from './openai-client.test-support.ts'

/** The model's log-probabilities, in nats, as of the backend's own tests. */
const tolerance = 0.02

/** Scores of prompts and their answers against the float64 reference, those of `names` or all. */
export function testScores(clientOf: () => OpenAI, names = cases.map(({ name }) => name)): void {
  test.each(names)('%s is scored as the reference scores it', async (name) => {
    const { tokens, greedy, topLogprobs } = cases.find((each) => each.name === name)!
    const { choices } = await clientOf().completions.create({
      model,
      prompt: [...tokens, ...greedy],
      echo: true,
      max_tokens: 0,
      logprobs: 5,
    })
    const { token_logprobs } = choices[0]!.logprobs!
    expect(token_logprobs![0]).toBeNull()
    const own = promptLogprobs[name as keyof typeof promptLogprobs] ?? []
    for (const [index, expected] of own.entries()) {
      expect(Math.abs(token_logprobs![index + 1]! - expected)).toBeLessThan(tolerance)
    }
    const answer = token_logprobs!.slice(tokens.length)
    expect(answer).toHaveLength(greedy.length)
    for (const [step, logprob] of answer.entries()) {
      const [, expected] = topLogprobs[step]!.find(([token]) => token === greedy[step])!
      expect(Math.abs(logprob! - expected!)).toBeLessThan(tolerance)
    }
  })
}
