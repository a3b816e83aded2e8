import { describe, expect, it } from 'vitest'
import { architectureCases } from '../../models/architecture-cases.ts'
import type { AttentionSpec, BlockSpec, MlpSpec, TransformerSpec } from '../transformer-spec.ts'
import type { Weights } from '../weights.ts'
import { createKvCache, forward, headLogits } from './forward.ts'
import { loadWeights } from './load-weights.ts'

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

/** The description once without each of its options. */
function withoutOptions(spec: TransformerSpec): [option: string, changed: TransformerSpec][] {
  const changes: [string, TransformerSpec][] = []
  const { embedding, head } = spec
  if (embedding.scale !== undefined)
    changes.push(['embedding scale', { ...spec, embedding: { weight: embedding.weight } }])
  if (head.scale !== undefined) changes.push(['head scale', { ...spec, head: { ...head, scale: undefined } }])
  if (head.softCap !== undefined)
    changes.push(['head soft-cap', { ...spec, head: { ...head, softCap: undefined } }])

  const inBlocks = (option: string, change: (block: BlockSpec) => BlockSpec) => {
    changes.push([option, { ...spec, blocks: spec.blocks.map(change) }])
  }
  const inAttention = (option: string, change: (attention: AttentionSpec) => AttentionSpec) =>
    inBlocks(option, ({ attention, mlp }) => ({ attention: change(attention), mlp }))
  const inMlp = (option: string, change: (mlp: MlpSpec) => MlpSpec) =>
    inBlocks(option, ({ attention, mlp }) => ({ attention, mlp: change(mlp) }))
  const someAttention = (has: (attention: AttentionSpec) => unknown) =>
    spec.blocks.some(({ attention }) => has(attention) !== undefined)
  const someMlp = (has: (mlp: MlpSpec) => unknown) => spec.blocks.some(({ mlp }) => has(mlp) !== undefined)

  for (const option of [
    'norm',
    'postNorm',
    'queryNorm',
    'keyNorm',
    'softCap',
    'window',
    'residualScale',
  ] as const) {
    if (someAttention((attention) => attention[option]))
      inAttention(option, (attention) => ({ ...attention, [option]: undefined }))
  }
  for (const part of ['query', 'key', 'value', 'output'] as const) {
    if (someAttention((attention) => attention[part].bias))
      inAttention(`${part} bias`, (attention) => ({
        ...attention,
        [part]: { ...attention[part], bias: undefined },
      }))
  }
  for (const option of ['norm', 'postNorm', 'residualScale'] as const) {
    if (someMlp((mlp) => mlp[option])) inMlp(`MLP ${option}`, (mlp) => ({ ...mlp, [option]: undefined }))
  }
  for (const part of ['gate', 'up', 'down'] as const) {
    if (someMlp((mlp) => mlp[part].bias))
      inMlp(`${part} bias`, (mlp) => ({ ...mlp, [part]: { ...mlp[part], bias: undefined } }))
  }
  inMlp('activation', (mlp) => ({ ...mlp, activation: mlp.activation === 'silu' ? 'gelu_tanh' : 'silu' }))

  const ropes = new Set(spec.blocks.map(({ attention }) => attention.rope))
  inAttention('scale', (attention) => ({ ...attention, scale: attention.scale * 1.5 }))
  inAttention('the same rope in every block', (attention) => ({ ...attention, rope: [...ropes][0] }))
  if (ropes.size === 1) changes.pop()
  inAttention('rope pairing', ({ rope, ...attention }) => ({
    ...attention,
    rope: rope && { ...rope, pairing: rope.pairing === 'half' ? 'adjacent' : 'half' },
  }))
  if ([...ropes].some((rope) => rope?.magnitude !== undefined))
    inAttention('rope magnitude', ({ rope, ...attention }) => ({
      ...attention,
      rope: rope && { ...rope, magnitude: undefined },
    }))
  return changes
}
