import { describe, expect, it } from 'vitest'
import { architectureCases } from '../../models/architecture-cases.ts'
import type { TransformerSpec } from '../transformer-spec.ts'
import type { Weights } from '../weights.ts'
import { createKvCache, forward, headLogits } from './forward.ts'
import { loadWeights } from './load-weights.ts'
import { withoutOptions } from './without-options.ts'

/** (numRows, vocabSize), behind the last tokens. */
async function logitsOf(spec: TransformerSpec, weights: Weights, tokens: Uint32Array, numRows: number) {
  const model = await loadWeights(spec, weights)
  const hidden = await forward(model, createKvCache(spec), tokens, 0)
  return headLogits(model, hidden.subarray((tokens.length - numRows) * spec.hiddenSize), numRows)
}

function distance(actual: Float64Array, expected: readonly Float32Array[]): number {
  const right = expected.flatMap((row) => [...row])
  expect(actual).toHaveLength(right.length)
  return Math.max(...right.map((logit, i) => Math.abs(logit - actual[i]!)))
}

describe.each(architectureCases.map((one) => [one.name, one] as const))('%s', (_, one) => {
  const { tokens, logits, open } = one

  it('has the logits that transformers computes in float64', async () => {
    const { spec, weights } = await open()
    // Tighter than 1e-4, which is asked for: the fixture's f32 is all that is lost.
    expect(distance(await logitsOf(spec, weights, tokens, logits.length), logits)).toBeLessThan(1e-5)
  })

  it('shows in its logits every option that it has', async () => {
    const { spec, weights } = await open()
    for (const [option, changed] of withoutOptions(spec)) {
      const actual = await logitsOf(changed, weights, tokens, logits.length)
      expect(distance(actual, logits), option).toBeGreaterThan(0.02)
    }
  })
})
