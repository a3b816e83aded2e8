import { breathe } from '../breathe.ts'
import type { AttentionSpec, MlpSpec, RmsNormSpec, TransformerSpec } from '../transformer-spec.ts'
import type { ReferenceModel } from './load-weights.ts'
import { applyRope, attention, embed, matmul, rmsNorm, siluMul } from './operations.ts'

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
  for (const [layer, block] of blocks.entries()) {
    add(x, attend(model, block.attention, cache.layers[layer]!, x, firstPosition))
    await breathe()
    add(x, feedForward(model, block.mlp, x))
    await breathe()
  }
  return x
}

/** Logits of hidden states: (numRows, vocabSize). */
export function headLogits(model: ReferenceModel, hidden: Float64Array, numRows: number): Float64Array {
  const { head, vocabSize, hiddenSize } = model.spec
  return matmul(model.weight(head.weight), norm(model, head.norm, hidden), numRows, vocabSize, hiddenSize)
}

function attend(
  model: ReferenceModel,
  spec: AttentionSpec,
  layer: KvLayer,
  x: Float64Array,
  firstPosition: number,
) {
  const { numHeads, numKvHeads, headDim, scale, rope } = spec
  const { hiddenSize } = model.spec
  const numRows = x.length / hiddenSize
  const kvSize = numKvHeads * headDim
  const normed = norm(model, spec.norm, x)
  const queries = matmul(model.weight(spec.query.weight), normed, numRows, numHeads * headDim, hiddenSize)
  const keys = matmul(model.weight(spec.key.weight), normed, numRows, kvSize, hiddenSize)
  const values = matmul(model.weight(spec.value.weight), normed, numRows, kvSize, hiddenSize)
  for (let row = 0; row < numRows; row++) {
    for (const heads of [rowOf(queries, row, numRows), rowOf(keys, row, numRows)]) {
      applyRope(heads, firstPosition + row, rope.inverseFrequencies, headDim, rope.dim)
    }
  }
  layer.keys = written(layer.keys, keys, firstPosition * kvSize)
  layer.values = written(layer.values, values, firstPosition * kvSize)
  const shape = { numRows, firstPosition, numHeads, numKvHeads, headDim, scale }
  const heads = attention(queries, layer.keys, layer.values, shape)
  return matmul(model.weight(spec.output.weight), heads, numRows, hiddenSize, numHeads * headDim)
}

function feedForward(model: ReferenceModel, spec: MlpSpec, x: Float64Array) {
  const { hiddenSize } = model.spec
  const { intermediateSize } = spec
  const numRows = x.length / hiddenSize
  const normed = norm(model, spec.norm, x)
  const gate = matmul(model.weight(spec.gate.weight), normed, numRows, intermediateSize, hiddenSize)
  const up = matmul(model.weight(spec.up.weight), normed, numRows, intermediateSize, hiddenSize)
  return matmul(model.weight(spec.down.weight), siluMul(gate, up), numRows, hiddenSize, intermediateSize)
}

function norm(model: ReferenceModel, { weight, epsilon }: RmsNormSpec, x: Float64Array): Float64Array {
  const { hiddenSize } = model.spec
  return rmsNorm(x, model.weight(weight), epsilon, x.length / hiddenSize, hiddenSize)
}

function add(x: Float64Array, y: Float64Array): void {
  for (let i = 0; i < x.length; i++) x[i]! += y[i]!
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
