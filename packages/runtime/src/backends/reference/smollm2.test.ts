// The default model against a float64 forward pass of the same file that was written independently, in numpy.

import { beforeAll, describe, expect, it } from 'vitest'
import { describeModel } from '../../models/architectures.ts'
import type { TransformerSpec } from '../transformer-spec.ts'
import type { Weights } from '../weights.ts'
import { openDefaultModel } from './default-model.ts'
import { createReferenceExecutor } from './executor.ts'
import fixtures from './fixtures/smollm2-reference.json' with { type: 'json' }
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
    async ({ tokens, greedy, topLogprobs, margin }) => {
      const rows = await logprobsFrom(
        Uint32Array.from([...tokens, ...greedy.slice(0, -1)]),
        tokens.length - 1,
      )
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

  it('answers through the executor', async () => {
    const { tokens, greedy, topLogprobs } = fixtures[0]!
    const executor = await createReferenceExecutor(spec, weights)
    const sequence = executor.createSequence()
    await executor.append(sequence, Uint32Array.from(tokens.slice(0, -1)))
    let token: number | undefined = tokens.at(-1)
    for (const [index, expected] of greedy.entries()) {
      const [result] = await executor.step([
        { sequence, ...(token !== undefined && { token }), topLogprobs: 5 },
      ])
      expect(result!.token).toBe(expected)
      expect(result!.topLogprobs.map(({ token }) => token)).toEqual(
        topLogprobs[index]!.map(([token]) => token),
      )
      token = undefined
    }
    executor.dispose()
  }, 600_000)
})
