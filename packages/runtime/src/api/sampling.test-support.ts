import type OpenAI from 'openai'
import { expect, test } from 'vitest'
import cases from '../backends/reference/fixtures/smollm2-reference.json'
import samples from '../backends/reference/fixtures/smollm2-samples.json'
import { model } from './openai-client.test-support.ts'
import type { Completion } from './types.ts'

/** What the parameters of sampling do end to end, against what the float64 reference samples with them. */
export function testSampling(clientOf: () => OpenAI): void {
  test.each(samples.answers)('with $name is that of the reference', async ({ parameters, tokens }) => {
    const { tokens: prompt } = cases.find(({ name }) => name === samples.prompt)!
    const asked = { model, prompt, max_tokens: tokens.length, ...parameters }
    const { choices } = await clientOf().completions.create(asked)
    expect((choices as unknown as Completion['choices'])[0]!.tokens).toEqual(tokens)
  })
}
