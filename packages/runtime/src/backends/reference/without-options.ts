// What a test takes away to see that it matters.

import type { AttentionSpec, BlockSpec, MlpSpec, TransformerSpec } from '../transformer-spec.ts'

/** The description once without each of its options. */
export function withoutOptions(spec: TransformerSpec): [option: string, changed: TransformerSpec][] {
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
