// A real model in float64 against a forward pass of the same file that was written independently, in numpy, as tests.

import { beforeAll, expect, it } from 'vitest'
import type { ModelCase } from '../model-cases.ts'
import type { TransformerSpec } from '../transformer-spec.ts'
import type { Weights } from '../weights.ts'
import { createKvCache, forward, headLogits } from './forward.ts'
import { loadWeights, type ReferenceModel } from './load-weights.ts'
import { logSoftmax } from './operations.ts'

/** Two tokens nearer than this in log-probability are a tie. */
const tie = 0.03
/** The numpy forward pass is in f32. */
const tolerance = 0.005

export function testReferenceCases(
  open: () => Promise<{ spec: TransformerSpec; weights: Weights }>,
  cases: readonly ModelCase[],
): void {
  let model: ReferenceModel

  beforeAll(async () => {
    const { spec, weights } = await open()
    model = await loadWeights(spec, weights)
  }, 240_000)

  it.each(cases)(
    'has the log-probabilities of $name, and its tokens where there is no tie',
    async ({ tokens, greedy, topLogprobs, margin }) => {
      const { spec } = model
      const row = Uint32Array.from([...tokens, ...greedy.slice(0, -1)])
      const hidden = await forward(model, createKvCache(spec), row, 0)
      const answered = hidden.subarray((tokens.length - 1) * spec.hiddenSize)
      for (const [step, expected] of topLogprobs.entries()) {
        const logits = headLogits(
          model,
          answered.subarray(step * spec.hiddenSize, (step + 1) * spec.hiddenSize),
          1,
        )
        const logprobs = logSoftmax(logits)
        for (const [token, logprob] of expected) {
          expect(Math.abs(logprobs[token!]! - logprob!), `step ${step}`).toBeLessThan(tolerance)
        }
        const best = logprobs.reduce((best, value, token) => (value > logprobs[best]! ? token : best), 0)
        if (margin[step]! > tie) expect(best, `step ${step}`).toBe(greedy[step])
      }
    },
    600_000,
  )
}
