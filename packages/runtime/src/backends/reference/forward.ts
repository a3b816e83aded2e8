import { breathe } from '../breathe.ts'
import type {
  AttentionSpec,
  HeadNormSpec,
  LinearSpec,
  MlpSpec,
  ResidualPart,
  RmsNormSpec,
  TransformerSpec,
} from '../transformer-spec.ts'
import type { ReferenceModel } from './load-weights.ts'
import {
  applyRope,
  attention,
  embed,
  geluTanhMul,
  matmul,
  rmsNorm,
  siluMul,
  softCapped,
} from './operations.ts'

/** Keys and values of one sequence. Positions past its length are overwritten before they are read. */
export interface KvCache {
  readonly layers: readonly KvLayer[]
  copy(): KvCache
  byteLength(): number
}

interface KvLayer {
  /** (capacity, numKvHeads, headDim) */
  keys: Float64Array
  values: Float64Array
}

export function createKvCache(spec: TransformerSpec): KvCache {
  return cacheOf(spec.blocks.map(() => ({ keys: new Float64Array(0), values: new Float64Array(0) })))
}

function cacheOf(layers: readonly KvLayer[]): KvCache {
  return {
    layers,
    copy: () => cacheOf(layers.map(({ keys, values }) => ({ keys: keys.slice(), values: values.slice() }))),
    byteLength: () => layers.reduce((sum, { keys, values }) => sum + keys.byteLength + values.byteLength, 0),
  }
}

/**
 * The hidden states behind the last block, (tokens.length, hiddenSize), for tokens at `firstPosition` and on; their keys
 * and values go to the cache. The event loop runs between layers: a worker whose chunk takes seconds still answers.
 */
export async function forward(
  model: ReferenceModel,
  cache: KvCache,
  tokens: Uint32Array,
  firstPosition: number,
): Promise<Float64Array> {
  const { hiddenSize, embedding, blocks } = model.spec
  const x = embed(model.weight(embedding.weight), tokens, hiddenSize)
  scaleBy(x, embedding.scale)
  for (const [layer, { attention, mlp }] of blocks.entries()) {
    addPart(model, attention, x, (normed) =>
      attend(model, attention, cache.layers[layer]!, normed, firstPosition),
    )
    await breathe()
    addPart(model, mlp, x, (normed) => feedForward(model, mlp, normed))
    await breathe()
  }
  return x
}

/** Logits of hidden states: (numRows, vocabSize). */
export function headLogits(model: ReferenceModel, hidden: Float64Array, numRows: number): Float64Array {
  const { head, vocabSize, hiddenSize } = model.spec
  const normed = norm(model, head.norm, hidden, hiddenSize)
  const logits = matmul(model.weight(head.weight), normed, numRows, vocabSize, hiddenSize)
  scaleBy(logits, head.scale)
  const { softCap } = head
  return softCap === undefined ? logits : logits.map((logit) => softCapped(logit, softCap))
}

/** x += residualScale * postNorm(part(norm(x))), in place. */
function addPart(
  model: ReferenceModel,
  spec: ResidualPart,
  x: Float64Array,
  part: (normed: Float64Array) => Float64Array,
): void {
  const { hiddenSize } = model.spec
  let y = part(spec.norm === undefined ? x : norm(model, spec.norm, x, hiddenSize))
  if (spec.postNorm !== undefined) y = norm(model, spec.postNorm, y, hiddenSize)
  const { residualScale = 1 } = spec
  for (let i = 0; i < x.length; i++) x[i]! += residualScale * y[i]!
}

function attend(
  model: ReferenceModel,
  spec: AttentionSpec,
  layer: KvLayer,
  x: Float64Array,
  firstPosition: number,
): Float64Array {
  const { numHeads, numKvHeads, headDim, scale, softCap, window, rope } = spec
  const { hiddenSize } = model.spec
  const numRows = x.length / hiddenSize
  const kvSize = numKvHeads * headDim
  const queries = headNorm(model, spec.queryNorm, linear(model, spec.query, x, numRows, hiddenSize), spec)
  const keys = headNorm(model, spec.keyNorm, linear(model, spec.key, x, numRows, hiddenSize), spec)
  const values = linear(model, spec.value, x, numRows, hiddenSize)
  for (let row = 0; rope !== undefined && row < numRows; row++) {
    const { inverseFrequencies, dim, pairing, magnitude } = rope
    for (const heads of [rowOf(queries, row, numRows), rowOf(keys, row, numRows)]) {
      applyRope(heads, firstPosition + row, inverseFrequencies, headDim, dim, pairing, magnitude)
    }
  }
  layer.keys = written(layer.keys, keys, firstPosition * kvSize)
  layer.values = written(layer.values, values, firstPosition * kvSize)
  const shape = { numRows, firstPosition, numHeads, numKvHeads, headDim, scale, softCap, window }
  const heads = attention(queries, layer.keys, layer.values, shape)
  return linear(model, spec.output, heads, numRows, numHeads * headDim)
}

const gated = { silu: siluMul, gelu_tanh: geluTanhMul }

function feedForward(model: ReferenceModel, spec: MlpSpec, x: Float64Array): Float64Array {
  const { hiddenSize } = model.spec
  const numRows = x.length / hiddenSize
  const gate = linear(model, spec.gate, x, numRows, hiddenSize)
  const up = linear(model, spec.up, x, numRows, hiddenSize)
  return linear(model, spec.down, gated[spec.activation](gate, up), numRows, spec.intermediateSize)
}

/** weight[rows] x + bias. x: (numRows, inputSize). */
function linear(
  model: ReferenceModel,
  { weight, rows, bias }: LinearSpec,
  x: Float64Array,
  numRows: number,
  inputSize: number,
): Float64Array {
  const all = model.weight(weight)
  const { first, count } = rows ?? { first: 0, count: all.length / inputSize }
  const matrix = all.subarray(first * inputSize, (first + count) * inputSize)
  const y = matmul(matrix, x, numRows, count, inputSize)
  if (bias !== undefined) {
    const added = model.weight(bias)
    for (let i = 0; i < y.length; i++) y[i]! += added[i % count]!
  }
  return y
}

/** x: rows of `size` components. */
function norm(model: ReferenceModel, spec: RmsNormSpec, x: Float64Array, size: number): Float64Array {
  return rmsNorm(x, model.weight(spec.weight), spec.epsilon, x.length / size, size)
}

/** heads: (numRows, heads, headDim), normalised a head or a row at a time; as they are without a norm. */
function headNorm(
  model: ReferenceModel,
  spec: HeadNormSpec | undefined,
  heads: Float64Array,
  { headDim }: AttentionSpec,
): Float64Array {
  if (spec === undefined) return heads
  return norm(model, spec, heads, spec.over === 'head' ? headDim : model.weight(spec.weight).length)
}

function scaleBy(x: Float64Array, scale = 1): void {
  for (let i = 0; i < x.length; i++) x[i]! *= scale
}

function rowOf(x: Float64Array, row: number, numRows: number): Float64Array {
  const length = x.length / numRows
  return x.subarray(row * length, (row + 1) * length)
}

/** `buffer` with `rows` at `start`, grown to twice its length where they do not fit. */
function written(buffer: Float64Array, rows: Float64Array, start: number): Float64Array {
  const end = start + rows.length
  if (end > buffer.length) {
    const grown = new Float64Array(Math.max(end, buffer.length * 2))
    grown.set(buffer)
    buffer = grown
  }
  buffer.set(rows, start)
  return buffer
}
