import prefillWgsl from '#shaders/attention_prefill.wgsl?raw'
import parallelWgsl from '#shaders/attention_prefill_parallel.wgsl?raw'
import { writes } from '../bindings.ts'
import { type Dispatch, prepareDispatch } from '../dispatch.ts'
import type { Gpu } from '../gpu.ts'
import {
  type AttentionBindings,
  attentionInputs,
  attentionVariant,
  headTiling,
  maxSerialQuads,
  parallelAttentionSource,
  parallelThreads,
  serialAttentionSource,
} from './attention.ts'

const serialThreads = 4
/**
 * Rows times heads, at most, that share the loads of a key. On SwiftShader, three heads of one row take 0.4 s to compile and 4.3 ms a
 * token at position 128 (30 layers); of two rows 2.6 s and 0.86 of the time; of three and four no less.
 */
const serialQueries = 4
/** As in attention_prefill_parallel.wgsl. */
const parallelRowsPerThread = 4
const maxTileRows = 16
const maxTileKeys = 32
/** Quads of keys in a tile: with the queries and weights, these leave 1 KiB of the 16 KiB of workgroup memory. */
const tileQuads = 512

/** Each row of a chunk attends to the positions of its sequence up to its own. One dispatch. */
export function prepareAttentionPrefill(gpu: Gpu, bindings: AttentionBindings): Promise<Dispatch> {
  const { shape, output, maxPagesPerSequence } = bindings
  const { numHeads, numKvHeads, headDim } = shape
  const buffers = [...attentionInputs(bindings), writes(output)]
  const label = 'attention_prefill'
  if (attentionVariant(gpu, bindings) === 'serial') {
    const { headTiles, headsPerTile } = headTiling(shape, 'serial')
    const rowsPerThread = Math.max(
      1,
      Math.min(
        Math.floor(serialQueries / headsPerTile),
        Math.floor(maxSerialQuads / headsPerTile / (headDim / 4)),
      ),
    )
    const source = serialAttentionSource(label, prefillWgsl, shape, maxPagesPerSequence, rowsPerThread)
    return prepareDispatch(gpu, source, buffers, (numRows) => [
      Math.ceil(numRows / rowsPerThread / serialThreads),
      numKvHeads * headTiles,
      1,
    ])
  }
  const quads = headDim / 4
  const tileRows = Math.min(maxTileRows, Math.floor(parallelThreads / quads) * parallelRowsPerThread)
  const tileKeys = Math.min(maxTileKeys, Math.floor(tileQuads / quads))
  const source = parallelAttentionSource(label, parallelWgsl, shape, maxPagesPerSequence, {
    tileRows,
    tileKeys,
    threads: parallelThreads,
  })
  return prepareDispatch(gpu, source, buffers, (numRows) => [Math.ceil(numRows / tileRows), numHeads, 1])
}
