import type { TransformerSpec } from '../transformer-spec.ts'
import { createStorageBuffer, type Gpu, writeBuffer } from './gpu.ts'
import { buildRopeTable } from './kernels/rope-kv.ts'

/** One table of cosines and sines for each set of frequencies that layers share: (contextLength, ropeDim / 2, 2). */
export function createRopeTables(
  gpu: Gpu,
  spec: TransformerSpec,
  contextLength: number,
): ReadonlyMap<Float64Array, GPUBuffer> {
  const tables = new Map<Float64Array, GPUBuffer>()
  for (const { attention } of spec.blocks) {
    const { inverseFrequencies } = attention.rope
    if (tables.has(inverseFrequencies)) continue
    const table = buildRopeTable(inverseFrequencies, 0, contextLength)
    const buffer = createStorageBuffer(gpu, 'rope.table', table.byteLength)
    writeBuffer(gpu, buffer, 0, table)
    tables.set(inverseFrequencies, buffer)
  }
  return tables
}
