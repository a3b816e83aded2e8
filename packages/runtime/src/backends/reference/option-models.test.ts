import { expect, it } from 'vitest'
import type { TransformerSpec } from '../transformer-spec.ts'
import type { Weights } from '../weights.ts'
import { createKvCache, forward, headLogits } from './forward.ts'
import { loadWeights } from './load-weights.ts'
import { optionModel, optionModels } from './option-models.ts'
import { withoutOptions } from './without-options.ts'

const tokens = Uint32Array.from({ length: 53 }, (_, i) => (i * 29 + 3) % 97)

async function lastLogits(spec: TransformerSpec, weights: Weights): Promise<Float64Array> {
  const model = await loadWeights(spec, weights)
  const hidden = await forward(model, createKvCache(spec), tokens, 0)
  return headLogits(model, hidden.subarray(-spec.hiddenSize), 1)
}

it.each(Object.entries(optionModels))('%s: every option shows in the logits', async (_, options) => {
  const { spec, weights } = optionModel(options)
  const logits = await lastLogits(spec, weights)
  // With one key to attend to, nothing that makes scores matters.
  const hasScores = spec.blocks.some(({ attention }) => attention.window !== 1)
  for (const [option, changed] of withoutOptions(spec)) {
    if (!hasScores && /^(scale|rope)/.test(option)) continue
    const actual = await lastLogits(changed, weights)
    const distance = Math.max(...actual.map((logit, token) => Math.abs(logit - logits[token]!)))
    expect(distance, option).toBeGreaterThan(0.02)
  }
})
