// The default model against a float64 forward pass of the same file that was written independently, in numpy.

import { beforeAll, describe, expect, it } from 'vitest'
import { describeModel } from '../../models/architectures.ts'
import { parseGenerationParameters } from '../../sampling/parameters.ts'
import type { TransformerSpec } from '../transformer-spec.ts'
import type { Weights } from '../weights.ts'
import { openDefaultModel } from './default-model.ts'
import { createReferenceExecutor } from './executor.ts'
import promptLogprobs from './fixtures/smollm2-prompt-logprobs.json' with { type: 'json' }
import fixtures from './fixtures/smollm2-reference.json' with { type: 'json' }
import samples from './fixtures/smollm2-samples.json' with { type: 'json' }
import { createKvCache, forward, headLogits } from './forward.ts'
import { loadWeights, type ReferenceModel } from './load-weights.ts'
import { logSoftmax } from './operations.ts'

/** Two tokens nearer than this in log-probability are a tie. */
const tie = 0.02

let spec: TransformerSpec
let weights: Weights
let model: ReferenceModel

beforeAll(async () => {
  const opened = await openDefaultModel()
  weights = opened.weights
  spec = await describeModel(opened.header, (name) => weights.read(name))
  model = await loadWeights(spec, weights)
}, 60_000)

/** Log-probabilities behind every token of `tokens` from `first` on, all in one pass. */
async function logprobsFrom(tokens: Uint32Array, first: number): Promise<Float64Array[]> {
  const hidden = await forward(model, createKvCache(spec), tokens, 0)
  const numRows = tokens.length - first
  const logits = headLogits(model, hidden.subarray(first * spec.hiddenSize), numRows)
  return Array.from({ length: numRows }, (_, row) =>
    logSoftmax(logits.subarray(row * spec.vocabSize, (row + 1) * spec.vocabSize)),
  )
}

describe('SmolLM2 in float64', () => {
  it.each(fixtures)(
    'has the log-probabilities of "$name"',
    async ({ name, tokens, greedy, topLogprobs, margin }) => {
      // Of short prompts the scores too, which those of echo are compared with.
      const own = promptLogprobs[name as keyof typeof promptLogprobs] ?? []
      const first = tokens.length - 1 - own.length
      const all = await logprobsFrom(Uint32Array.from([...tokens, ...greedy.slice(0, -1)]), first)
      for (const [index, expected] of own.entries()) {
        expect(all[index]![tokens[first + index + 1]!]).toBeCloseTo(expected, 4)
      }
      const rows = all.slice(own.length)
      expect(rows).toHaveLength(greedy.length)
      for (const [step, logprobs] of rows.entries()) {
        for (const [token, expected] of topLogprobs[step]!) {
          expect(Math.abs(logprobs[token!]! - expected!)).toBeLessThan(1e-3)
        }
        const best = logprobs.indexOf(Math.max(...logprobs))
        if (margin[step]! > tie) expect(best).toBe(greedy[step])
      }
    },
    600_000,
  )

  it('samples through the executor', async () => {
    const { tokens } = fixtures.find(({ name }) => name === samples.prompt)!
    const prompt = Uint32Array.from(tokens)
    const executor = await createReferenceExecutor(spec, weights)
    const held = executor.createSequence()
    await executor.append(held, prompt.subarray(0, -1))
    for (const { name, parameters, tokens: expected } of samples.answers) {
      const sequence = executor.fork(held)
      const { sampling } = parseGenerationParameters(parameters)
      executor.configureSampling(sequence, sampling, {
        promptTokens: prompt,
        answerTokens: new Uint32Array(),
      })
      const answer: number[] = []
      while (answer.length < expected.length) {
        const isFirst = answer.length === 0
        const [result] = await executor.step([{ sequence, ...(isFirst && { token: prompt.at(-1)! }) }])
        answer.push(result!.token)
      }
      expect(answer, name).toEqual(expected)
      executor.free(sequence)
    }
    executor.dispose()
  }, 600_000)
})
