import type {
  AttentionSpec,
  HeadNormSpec,
  HeadSpec,
  ResidualPart,
  RmsNormSpec,
  RopeSpec,
} from '../transformer-spec.ts'
import {
  createGraphBuilder,
  type GraphBuilder,
  type GraphWeights,
  type WrittenGraph,
} from './graph-builder.ts'
import type { BlockPlan, MatrixPlan } from './segments.ts'
import { type MaskInput, maskInputOf, ropeInputOf, type SharedInputs } from './shared-inputs.ts'

/**
 * Consecutive blocks as one graph: S rows of one sequence behind P held positions, which is a number for each mask.
 *
 * - in: `hidden` (S, hiddenSize); of each rope that the blocks use `cos_n`, `sin_n` (S, rope.dim / 2); of each mask that they
 *   use `past_mask_n` (1, 1 or group * S, P) and `mask_n` (1, group * S, S), 0 or -Infinity, where group is
 *   numHeads / numKvHeads; of the n-th block `past_key_n`, `past_value_n` (numKvHeads, P, headDim)
 * - out: `hidden_out` (S, hiddenSize); `key_n`, `value_n` (numKvHeads, S, headDim), which the caller keeps
 *
 * New keys are scored apart from held ones, and all scores share one softmax: held keys are read where they lie, neither
 * concatenated nor transposed, and never come back out.
 */
export function blocksGraph(
  blocks: readonly BlockPlan[],
  hiddenSize: number,
  shared: SharedInputs,
  weights: GraphWeights,
): WrittenGraph {
  const graph = createGraphBuilder(weights)
  const ropes = shared.ropes.filter((input) =>
    blocks.some(({ spec: { attention } }) => attention.rope && ropeInputOf(shared, attention.rope) === input),
  )
  for (const { cos, sin, rope } of ropes) {
    graph.input(cos, ['S', rope.dim / 2])
    graph.input(sin, ['S', rope.dim / 2])
  }
  const masks = shared.masks.filter((input) =>
    blocks.some(({ spec }) => maskInputOf(shared, spec.attention) === input),
  )
  const lastDimension = (value: string) => graph.node('Shape', [value], { start: { int: -1 } })
  const positions = new Map<MaskInput, string>()
  for (const mask of masks) {
    graph.input(mask.past, [1, `rows of ${mask.past}`, pastLength(mask)])
    graph.input(mask.fresh, [1, `rows of ${mask.fresh}`, 'S'])
    const both = [lastDimension(mask.past), lastDimension(mask.fresh)]
    positions.set(mask, graph.node('Concat', both, { axis: { int: 0 } }))
  }
  let x = graph.input('hidden', ['S', hiddenSize])
  for (const [index, block] of blocks.entries()) {
    const { attention, mlp } = block.spec
    const mask = maskInputOf(shared, attention)
    const attended = (input: string) =>
      attend(graph, block, index, input, { ...mask, positions: positions.get(mask)! }, shared)
    x = residual(graph, attention, x, attended)
    x = residual(graph, mlp, x, (input) => feedForward(graph, block, input))
  }
  graph.output(x, 'hidden_out', ['S', hiddenSize])
  return graph.write('blocks')
}

/** `hidden` (S, hiddenSize) to `logits` (S, vocabSize). */
export function headGraph(head: HeadSpec, matrix: MatrixPlan, weights: GraphWeights): WrittenGraph {
  const graph = createGraphBuilder(weights)
  const hidden = graph.input('hidden', ['S', matrix.inputSize])
  const logits = graph.linear(rmsNorm(graph, head.norm, hidden), matrix)
  const { scale = 1, softCap } = head
  graph.output(softCapped(graph, logits, scale, softCap), 'logits', ['S', matrix.outputSize])
  return graph.write('head')
}

/** x + residualScale * postNorm(part(norm(x))) */
function residual(
  graph: GraphBuilder,
  { norm, postNorm, residualScale }: ResidualPart,
  x: string,
  part: (input: string) => string,
): string {
  const output = part(norm === undefined ? x : rmsNorm(graph, norm, x))
  const normed = postNorm === undefined ? output : rmsNorm(graph, postNorm, output)
  return graph.node('Add', [x, graph.scaled(normed, residualScale)])
}

/** softCap * tanh(scale * x / softCap) */
function softCapped(graph: GraphBuilder, x: string, scale: number, softCap: number | undefined): string {
  if (softCap === undefined) return graph.scaled(x, scale)
  return graph.scaled(graph.node('Tanh', [graph.scaled(x, scale / softCap)]), softCap)
}

/** @param mask with `positions`, int64 (2): P and S */
function attend(
  graph: GraphBuilder,
  { spec: { attention }, queryKeyValue, output }: BlockPlan,
  index: number,
  x: string,
  mask: MaskInput & { positions: string },
  shared: SharedInputs,
): string {
  const { numHeads, numKvHeads, headDim, scale, softCap, rope, queryNorm, keyNorm } = attention
  const group = numHeads / numKvHeads
  const qkv = graph.linear(x, queryKeyValue)
  const sizes = graph.constant([numHeads * headDim, numKvHeads * headDim, numKvHeads * headDim])
  const [queries, keys, values] = graph.split(qkv, sizes, 3) as [string, string, string]
  const placed = (heads: string, numHeads: number, norm: HeadNormSpec | undefined) => {
    const normed = norm === undefined ? heads : headNorm(graph, norm, heads, attention, numHeads)
    return rope === undefined ? normed : turned(graph, rope, shared, normed, numHeads)
  }

  // Query heads that share a key-value head are rows of one product.
  const byGroup = graph.reshape(placed(queries, numHeads, queryNorm), [-1, numKvHeads, group, headDim])
  const query = graph.reshape(graph.transpose(byGroup, [1, 2, 0, 3]), [numKvHeads, -1, headDim])
  const byHead = (heads: string) =>
    graph.transpose(graph.reshape(heads, [-1, numKvHeads, headDim]), [1, 0, 2])
  const key = byHead(placed(keys, numKvHeads, keyNorm))
  const value = byHead(values)
  const pastKey = graph.input(`past_key_${index}`, [numKvHeads, pastLength(mask), headDim])
  const pastValue = graph.input(`past_value_${index}`, [numKvHeads, pastLength(mask), headDim])
  graph.output(key, `key_${index}`, [numKvHeads, 'S', headDim])
  graph.output(value, `value_${index}`, [numKvHeads, 'S', headDim])

  const scores = (keys: string, mask: string) => {
    const attributes = { alpha: { float: scale / (softCap ?? 1) }, transB: { int: 1 } }
    const products = graph.node('FusedMatMul', [query, keys], attributes, 'com.microsoft')
    const capped = softCap === undefined ? products : graph.scaled(graph.node('Tanh', [products]), softCap)
    return graph.node('Add', [capped, mask])
  }
  const all = graph.node('Concat', [scores(pastKey, mask.past), scores(key, mask.fresh)], {
    axis: { int: -1 },
  })
  const weights = graph.node('Softmax', [all], { axis: { int: -1 } })
  const [pastWeights, newWeights] = graph.split(weights, mask.positions, 2) as [string, string]
  const heads = graph.node('Add', [
    graph.node('MatMul', [pastWeights, pastValue]),
    graph.node('MatMul', [newWeights, value]),
  ])
  const byRow = graph.transpose(graph.reshape(heads, [numKvHeads, group, -1, headDim]), [2, 0, 1, 3])
  return graph.linear(graph.reshape(byRow, [-1, numHeads * headDim]), output)
}

const pastLength = ({ past }: MaskInput): string => `positions of ${past}`

/** @param heads (S, numHeads * headDim) */
function headNorm(
  graph: GraphBuilder,
  norm: HeadNormSpec,
  heads: string,
  { headDim }: AttentionSpec,
  numHeads: number,
): string {
  if (norm.over === 'all') return rmsNorm(graph, norm, heads)
  const apart = graph.reshape(heads, [-1, numHeads, headDim])
  return graph.reshape(rmsNorm(graph, norm, apart), [-1, numHeads * headDim])
}

/** Turns the pairs of each head. @returns (1, S, heads * headDim) */
function turned(
  graph: GraphBuilder,
  rope: RopeSpec,
  shared: SharedInputs,
  x: string,
  numHeads: number,
): string {
  const { cos, sin } = ropeInputOf(shared, rope)
  const zero = graph.constant([0])
  return graph.node(
    'RotaryEmbedding',
    [graph.node('Unsqueeze', [x, zero]), zero, cos, sin],
    {
      interleaved: { int: rope.pairing === 'adjacent' ? 1 : 0 },
      num_heads: { int: numHeads },
      rotary_embedding_dim: { int: rope.dim },
    },
    'com.microsoft',
  )
}

function feedForward(graph: GraphBuilder, { spec: { mlp }, gateUp, down }: BlockPlan, x: string): string {
  const { intermediateSize, activation } = mlp
  const sizes = graph.constant([intermediateSize, intermediateSize])
  const [gated, up] = graph.split(graph.linear(x, gateUp), sizes, 2) as [string, string]
  const active =
    activation === 'silu'
      ? // QuickGelu with alpha 1 is x * sigmoid(x), SiLU, in one pass.
        graph.node('QuickGelu', [gated], { alpha: { float: 1 } }, 'com.microsoft')
      : // Gelu's approximation by tanh.
        graph.node('FastGelu', [gated], {}, 'com.microsoft')
  return graph.linear(graph.node('Mul', [active, up]), down)
}

function rmsNorm(graph: GraphBuilder, { weight, epsilon }: RmsNormSpec, x: string): string {
  return graph.node('SimplifiedLayerNormalization', [x, graph.gain(weight)], {
    axis: { int: -1 },
    epsilon: { float: epsilon },
  })
}
