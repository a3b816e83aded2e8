import batchWgsl from '#shaders/common/batch.wgsl?raw'
import { createBuffer, createStorageBuffer, type Gpu, writeBuffer } from './gpu.ts'

/** One (sequence, position) pair of a batch. */
export interface BatchRow {
  readonly token: number
  readonly position: number
  /** Index of the sequence's entry in the page tables and the sampling state. */
  readonly sequenceSlot: number
}

/** The WGSL declarations of `Batch` and `BatchRow`, to put before a kernel that uses them. */
export { batchWgsl }

/** A batch on the GPU: `count` is a uniform `Batch`, `rows` an array of `BatchRow`. */
export interface BatchBuffers {
  readonly count: GPUBuffer
  readonly rows: GPUBuffer
  readonly maxRows: number
}

const wordsPerRow = 4

export function createBatchBuffers(gpu: Gpu, label: string, maxRows: number): BatchBuffers {
  return {
    count: createBuffer(gpu, `${label}.count`, 16, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST),
    rows: createStorageBuffer(gpu, `${label}.rows`, maxRows * wordsPerRow * 4),
    maxRows,
  }
}

export function writeBatch(gpu: Gpu, batch: BatchBuffers, rows: readonly BatchRow[]): void {
  const words = new Uint32Array(rows.length * wordsPerRow)
  rows.forEach(({ token, position, sequenceSlot }, index) => {
    words.set([token, position, sequenceSlot], index * wordsPerRow)
  })
  writeBuffer(gpu, batch.rows, 0, words)
  writeBuffer(gpu, batch.count, 0, new Uint32Array([rows.length, 0, 0, 0]))
}
