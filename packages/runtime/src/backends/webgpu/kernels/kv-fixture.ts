import { type BatchBuffers, type BatchRow, createBatchBuffers, writeBatch } from '../batch.ts'
import type { Gpu } from '../gpu.ts'
import { uploaded } from '../test-gpu.ts'
import { type AttentionShape, keyFloatIndex, kvPageBytes, kvPageTokens, valueFloatIndex } from './kv-pages.ts'

/** For kernel tests only: sequences with keys and values in scattered pages, and rows that attend to them. */
export interface KvFixture {
  readonly keys: Float32Array<ArrayBuffer>
  readonly values: Float32Array<ArrayBuffer>
  readonly rows: readonly BatchRow[]
  readonly maxPagesPerSequence: number
  /** Index in `keys` of component d of (slot, kvHead, position). */
  readonly keyIndex: (slot: number, kvHead: number, position: number, d: number) => number
  readonly valueIndex: (slot: number, kvHead: number, position: number, d: number) => number
  readonly buffers: {
    readonly keys: GPUBuffer
    readonly values: GPUBuffer
    readonly pageTable: GPUBuffer
    readonly batch: BatchBuffers
    readonly maxPagesPerSequence: number
  }
}

/** Numbers in [-1, 1), the same for the same seed. */
export function noise(count: number, seed: number): Float32Array<ArrayBuffer> {
  let state = seed >>> 0 || 1
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state >>> 8) / 2 ** 23 - 1
  })
}

/** `rows` as [sequenceSlot, position]; every slot below `numSlots` has pages for all positions that its rows see. */
export function kvFixture(
  gpu: Gpu,
  shape: AttentionShape,
  rows: readonly (readonly [slot: number, position: number])[],
  seed: number,
): KvFixture {
  const numSlots = Math.max(...rows.map(([slot]) => slot)) + 1
  const pagesWanted = Math.floor(Math.max(...rows.map(([, position]) => position)) / kvPageTokens) + 1
  // The same for most draws, since a pipeline is compiled for it.
  const maxPagesPerSequence = Math.max(pagesWanted, 9)
  const numPages = numSlots * maxPagesPerSequence
  // 7 has no factor in common with the number of pages unless they are a multiple of it: then one page more.
  const scatter = numPages % 7 === 0 ? numPages + 1 : numPages
  const pageTable = Uint32Array.from({ length: numPages }, (_, i) => (i * 7 + 3) % scatter)
  const pageOf = (slot: number, position: number) =>
    pageTable[slot * maxPagesPerSequence + Math.floor(position / kvPageTokens)]!
  const pageFloats = kvPageBytes(shape) / 4
  const keys = noise(scatter * pageFloats, seed)
  const values = noise(scatter * pageFloats, seed + 1)
  const batch = createBatchBuffers(gpu, 'batch', rows.length)
  const batchRows = rows.map(([sequenceSlot, position]) => ({ token: 0, position, sequenceSlot }))
  writeBatch(gpu, batch, batchRows)
  return {
    keys,
    values,
    rows: batchRows,
    maxPagesPerSequence,
    keyIndex: (slot, kvHead, position, d) =>
      keyFloatIndex(shape, pageOf(slot, position), kvHead, position, d),
    valueIndex: (slot, kvHead, position, d) =>
      valueFloatIndex(shape, pageOf(slot, position), kvHead, position, d),
    buffers: {
      keys: uploaded(gpu, keys, 'keys'),
      values: uploaded(gpu, values, 'values'),
      pageTable: uploaded(gpu, pageTable, 'pageTable'),
      batch,
      maxPagesPerSequence,
    },
  }
}

/** Float64 attention of every row of the fixture: softmax(cap(scale q K^T)) V over each row's window, (rows, numHeads * headDim). */
export function expectedAttention(
  fixture: KvFixture,
  { numHeads, numKvHeads, headDim, scale, softCap, window = Number.POSITIVE_INFINITY }: AttentionShape,
  qkv: Float32Array,
): Float64Array {
  const output = new Float64Array(fixture.rows.length * numHeads * headDim)
  fixture.rows.forEach(({ position, sequenceSlot }, rowIndex) => {
    for (let head = 0; head < numHeads; head++) {
      const kvHead = Math.floor((head * numKvHeads) / numHeads)
      const query = (rowIndex * (numHeads + 2 * numKvHeads) + head) * headDim
      const first = Math.max(0, position - window + 1)
      const scores = Array.from({ length: position + 1 - first }, (_, i) => {
        const p = first + i
        let product = 0
        for (let d = 0; d < headDim; d++) {
          product += qkv[query + d]! * fixture.keys[fixture.keyIndex(sequenceSlot, kvHead, p, d)]!
        }
        const score = product * scale
        return softCap === undefined ? score : softCap * Math.tanh(score / softCap)
      })
      const greatest = Math.max(...scores)
      const weights = scores.map((score) => Math.exp(score - greatest))
      const total = weights.reduce((sum, weight) => sum + weight, 0)
      weights.forEach((weight, i) => {
        const p = first + i
        for (let d = 0; d < headDim; d++) {
          output[(rowIndex * numHeads + head) * headDim + d]! +=
            (weight / total) * fixture.values[fixture.valueIndex(sequenceSlot, kvHead, p, d)]!
        }
      })
    }
  })
  return output
}
