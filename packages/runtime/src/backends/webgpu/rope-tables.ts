import { discard } from '../../storage/heap-meter.ts'
import type { RopeSpec, TransformerSpec } from '../transformer-spec.ts'
import { createStorageBuffer, type Gpu, writeBuffer } from './gpu.ts'
import { buildRopeTable } from './kernels/rope-kv.ts'

/** Tables of cosines and sines: (contextLength, rope.dim / 2, 2). */
export interface RopeTables {
  /** A table that is never read where there is no RoPE. */
  tableOf(rope: RopeSpec | undefined): GPUBuffer
  readonly byteLength: number
  destroy(): void
}

/** Positions computed at a time, so that a long context's table is never on the JS heap as a whole. */
const slicePositions = 4096

/** One table for each set of frequencies that layers share. */
export function createRopeTables(gpu: Gpu, spec: TransformerSpec, contextLength: number): RopeTables {
  const tables = distinctRopes(spec).map((rope) => ({ rope, buffer: createTable(gpu, rope, contextLength) }))
  const none = createStorageBuffer(gpu, 'rope.none', 0)
  return {
    tableOf: (rope) => tables.find((table) => rope !== undefined && isSame(table.rope, rope))?.buffer ?? none,
    byteLength: tables.reduce((sum, { buffer }) => sum + buffer.size, 0),
    destroy() {
      for (const buffer of [none, ...tables.map(({ buffer }) => buffer)]) buffer.destroy()
    },
  }
}

function createTable(gpu: Gpu, rope: RopeSpec, contextLength: number): GPUBuffer {
  const { inverseFrequencies, magnitude } = rope
  const positionBytes = inverseFrequencies.length * 8
  const buffer = createStorageBuffer(gpu, 'rope.table', contextLength * positionBytes)
  for (let first = 0; first < contextLength; first += slicePositions) {
    const count = Math.min(slicePositions, contextLength - first)
    const table = buildRopeTable(inverseFrequencies, first, count, magnitude)
    writeBuffer(gpu, buffer, first * positionBytes, table)
    // The queue has its copy.
    discard(table)
  }
  return buffer
}

export function ropeTableBytes(spec: TransformerSpec, contextLength: number): number {
  return distinctRopes(spec).reduce((sum, { dim }) => sum + contextLength * dim * 4, 0)
}

function distinctRopes({ blocks }: TransformerSpec): RopeSpec[] {
  const distinct: RopeSpec[] = []
  for (const { attention } of blocks) {
    const { rope } = attention
    if (rope !== undefined && !distinct.some((known) => isSame(known, rope))) distinct.push(rope)
  }
  return distinct
}

const isSame = (a: RopeSpec, b: RopeSpec) =>
  a.inverseFrequencies === b.inverseFrequencies && a.magnitude === b.magnitude
