import type { RopeSpec, TransformerSpec } from '../transformer-spec.ts'
import { createStorageBuffer, type Gpu, writeBuffer } from './gpu.ts'
import { buildRopeTable } from './kernels/rope-kv.ts'

/** Tables of cosines and sines: (contextLength, rope.dim / 2, 2). */
export interface RopeTables {
  /** A table that is never read where there is no RoPE. */
  tableOf(rope: RopeSpec | undefined): GPUBuffer
  readonly byteLength: number
}

/** One table for each set of frequencies that layers share. */
export function createRopeTables(gpu: Gpu, spec: TransformerSpec, contextLength: number): RopeTables {
  const tables = distinctRopes(spec).map((rope) => {
    const table = buildRopeTable(rope.inverseFrequencies, 0, contextLength, rope.magnitude)
    const buffer = createStorageBuffer(gpu, 'rope.table', table.byteLength)
    writeBuffer(gpu, buffer, 0, table)
    return { rope, buffer }
  })
  const none = createStorageBuffer(gpu, 'rope.none', 0)
  return {
    tableOf: (rope) => tables.find((table) => rope !== undefined && isSame(table.rope, rope))?.buffer ?? none,
    byteLength: tables.reduce((sum, { buffer }) => sum + buffer.size, 0),
  }
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
