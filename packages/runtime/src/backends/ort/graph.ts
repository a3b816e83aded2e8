import type { AttentionSpec, BlockSpec, HeadSpec, MlpSpec, RmsNormSpec } from '../transformer-spec.ts'
import {
  createGraphBuilder,
  type GraphBuilder,
  type GraphWeights,
  type WrittenGraph,
} from './graph-builder.ts'

/**
 * Consecutive blocks as one graph: S rows of one sequence behind P held positions, of which `past_mask` closes the unused.
 *
 * - in: `hidden` (S, hiddenSize); `cos`, `sin` (S, rope.dim / 2); `past_mask` (1, 1, P) and `mask` (1, group * S, S), 0 or
 *   -Infinity, where group is numHeads / numKvHeads; of the n-th block `past_key_n`, `past_value_n` (numKvHeads, P, headDim)
 * - out: `hidden_out` (S, hiddenSize); `key_n`, `value_n` (numKvHeads, S, headDim), which the caller keeps
 *
 * New keys are scored apart from held ones, and all scores share one softmax: held keys are read where they lie, neither
 * concatenated nor transposed, and never come back out.
 */
export function blocksGraph(
  blocks: readonly BlockSpec[],
  hiddenSize: number,
  weights: GraphWeights,
): WrittenGraph {
  const graph = createGraphBuilder(weights)
  const { dim } = blocks[0]!.attention.rope
  graph.input('cos', ['S', dim / 2])
  graph.input('sin', ['S', dim / 2])
  graph.input('past_mask', [1, 1, 'P'])
  graph.input('mask', [1, 'group * S', 'S'])
  const lastDimension = (value: string) => graph.node('Shape', [value], { start: { int: -1 } })
  const positions = graph.node('Concat', [lastDimension('past_mask'), lastDimension('mask')], {
    axis: { int: 0 },
  })
  let x = graph.input('hidden', ['S', hiddenSize])
  for (const [index, { attention, mlp }] of blocks.entries()) {
    x = graph.node('Add', [x, attend(graph, attention, index, x, positions)])
    x = graph.node('Add', [x, feedForward(graph, mlp, x)])
  }
  graph.output(x, 'hidden_out', ['S', hiddenSize])
  return graph.write('blocks')
}

/** `hidden` (S, hiddenSize) to `logits` (S, vocabSize). */
export function headGraph(
  head: HeadSpec,
  hiddenSize: number,
  vocabSize: number,
  weights: GraphWeights,
): WrittenGraph {
  const graph = createGraphBuilder(weights)
  const hidden = graph.input('hidden', ['S', hiddenSize])
  graph.output(graph.linear(rmsNorm(graph, head.norm, hidden), head.weight), 'logits', ['S', vocabSize])
  return graph.write('head')
}

/** @param positions int64 (2): P and S */
function attend(
  graph: GraphBuilder,
  spec: AttentionSpec,
  index: number,
  x: string,
  positions: string,
): string {
  const { numHeads, numKvHeads, headDim, scale } = spec
  const group = numHeads / numKvHeads
  const qkv = graph.linear(rmsNorm(graph, spec.norm, x), spec.query.weight)
  const sizes = graph.constant([numHeads * headDim, numKvHeads * headDim, numKvHeads * headDim])
  const [queries, keys, values] = graph.split(qkv, sizes, 3) as [string, string, string]

  // Query heads that share a key-value head are rows of one product.
  const byGroup = graph.reshape(rope(graph, spec, queries, numHeads), [-1, numKvHeads, group, headDim])
  const query = graph.reshape(graph.transpose(byGroup, [1, 2, 0, 3]), [numKvHeads, -1, headDim])
  const byHead = (heads: string) =>
    graph.transpose(graph.reshape(heads, [-1, numKvHeads, headDim]), [1, 0, 2])
  const key = byHead(rope(graph, spec, keys, numKvHeads))
  const value = byHead(values)
  const pastKey = graph.input(`past_key_${index}`, [numKvHeads, 'P', headDim])
  const pastValue = graph.input(`past_value_${index}`, [numKvHeads, 'P', headDim])
  graph.output(key, `key_${index}`, [numKvHeads, 'S', headDim])
  graph.output(value, `value_${index}`, [numKvHeads, 'S', headDim])

  const scores = (keys: string, mask: string) => {
    const attributes = { alpha: { float: scale }, transB: { int: 1 } }
    return graph.node('Add', [graph.node('FusedMatMul', [query, keys], attributes, 'com.microsoft'), mask])
  }
  const all = graph.node('Concat', [scores(pastKey, 'past_mask'), scores(key, 'mask')], { axis: { int: -1 } })
  const weights = graph.node('Softmax', [all], { axis: { int: -1 } })
  const [pastWeights, newWeights] = graph.split(weights, positions, 2) as [string, string]
  const heads = graph.node('Add', [
    graph.node('MatMul', [pastWeights, pastValue]),
    graph.node('MatMul', [newWeights, value]),
  ])
  const byRow = graph.transpose(graph.reshape(heads, [numKvHeads, group, -1, headDim]), [2, 0, 1, 3])
  return graph.linear(graph.reshape(byRow, [-1, numHeads * headDim]), spec.output.weight)
}

/** Turns the pairs (2i, 2i + 1) of each head. @returns (1, S, heads * headDim) */
function rope(graph: GraphBuilder, { rope }: AttentionSpec, x: string, numHeads: number): string {
  const zero = graph.constant([0])
  return graph.node(
    'RotaryEmbedding',
    [graph.node('Unsqueeze', [x, zero]), zero, 'cos', 'sin'],
    { interleaved: { int: 1 }, num_heads: { int: numHeads }, rotary_embedding_dim: { int: rope.dim } },
    'com.microsoft',
  )
}

function feedForward(
  graph: GraphBuilder,
  { norm, gate, down, intermediateSize }: MlpSpec,
  x: string,
): string {
  const both = graph.linear(rmsNorm(graph, norm, x), gate.weight)
  const sizes = graph.constant([intermediateSize, intermediateSize])
  const [gated, up] = graph.split(both, sizes, 2) as [string, string]
  // QuickGelu with alpha 1 is x * sigmoid(x), SiLU, in one pass.
  const active = graph.node('QuickGelu', [gated], { alpha: { float: 1 } }, 'com.microsoft')
  return graph.linear(graph.node('Mul', [active, up]), down.weight)
}

function rmsNorm(graph: GraphBuilder, { weight, epsilon }: RmsNormSpec, x: string): string {
  return graph.node('SimplifiedLayerNormalization', [x, graph.gain(weight)], {
    axis: { int: -1 },
    epsilon: { float: epsilon },
  })
}
