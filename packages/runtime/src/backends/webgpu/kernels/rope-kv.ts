import adjacentWgsl from '#shaders/rope_kv.wgsl?raw'
import halfWgsl from '#shaders/rope_kv_half.wgsl?raw'
import type { RopeSpec } from '../../transformer-spec.ts'
import { type BatchBuffers, batchWgsl } from '../batch.ts'
import { reads, uniform, writes } from '../bindings.ts'
import { type Dispatch, prepareDispatch } from '../dispatch.ts'
import type { Gpu } from '../gpu.ts'
import { type AttentionShape, kvPageConstants, kvPagesWgsl } from './kv-pages.ts'

export interface RopeKvWriteBindings {
  /** f32 (rows, (numHeads + 2 numKvHeads) * headDim): queries, keys, values. Queries are turned in place. */
  readonly qkv: GPUBuffer
  /** f32 (positions, ropeDim / 2, 2), as `buildRopeTable` makes it */
  readonly ropeTable: GPUBuffer
  /** Pages of kv-pages.ts */
  readonly keys: GPUBuffer
  readonly values: GPUBuffer
  /** u32 (sequence slots, maxPagesPerSequence) */
  readonly pageTable: GPUBuffer
  readonly batch: BatchBuffers
  readonly shape: AttentionShape
  readonly pairing: RopeSpec['pairing']
  /** Leading components of a head that turn: even, at most headDim; 0 where there is no RoPE. */
  readonly ropeDim: number
  readonly maxPagesPerSequence: number
}

const threads = 32
/** Components that a thread has. */
const threadWidth = { adjacent: 4, half: 2 }
const ropeWgsl = { adjacent: adjacentWgsl, half: halfWgsl }

/** Rotary embedding of queries and keys, and the write of keys and values to their pages, in one dispatch. */
export function prepareRopeKvWrite(gpu: Gpu, bindings: RopeKvWriteBindings): Promise<Dispatch> {
  const { qkv, ropeTable, keys, values, pageTable, batch, shape, ropeDim, pairing } = bindings
  const { numHeads, numKvHeads, headDim } = shape
  return prepareDispatch(
    gpu,
    {
      label: `rope_kv_${pairing}`,
      code: [batchWgsl, kvPagesWgsl, ropeWgsl[pairing]].join('\n'),
      constants: {
        ...kvPageConstants(shape, bindings.maxPagesPerSequence),
        numHeads,
        headDim,
        ropeDim,
        threads,
      },
    },
    [
      uniform(batch.count),
      reads(batch.rows),
      writes(qkv),
      reads(ropeTable),
      writes(keys),
      writes(values),
      reads(pageTable),
    ],
    (numRows) => [
      Math.ceil(((numHeads + 2 * numKvHeads) * headDim) / threadWidth[pairing] / threads),
      numRows,
      1,
    ],
  )
}

/**
 * `magnitude` times cosine and sine of position * frequency: (numPositions, inverseFrequencies.length, 2). Angles are reduced in float64, since
 * those of distant positions are too large for an f32 sine.
 */
export function buildRopeTable(
  inverseFrequencies: Float64Array,
  firstPosition: number,
  numPositions: number,
  magnitude = 1,
): Float32Array<ArrayBuffer> {
  const numPairs = inverseFrequencies.length
  const table = new Float32Array(numPositions * numPairs * 2)
  for (let i = 0; i < numPositions; i++) {
    for (let pair = 0; pair < numPairs; pair++) {
      const angle = (firstPosition + i) * inverseFrequencies[pair]!
      table[(i * numPairs + pair) * 2] = magnitude * Math.cos(angle)
      table[(i * numPairs + pair) * 2 + 1] = magnitude * Math.sin(angle)
    }
  }
  return table
}
