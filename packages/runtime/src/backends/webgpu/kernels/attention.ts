import attendWgsl from '#shaders/common/attend.wgsl?raw'
import softCapWgsl from '#shaders/common/soft_cap.wgsl?raw'
import windowWgsl from '#shaders/common/window.wgsl?raw'
import { BrasaError } from '../../../errors.ts'
import { type BatchBuffers, batchWgsl } from '../batch.ts'
import { type Binding, reads, uniform } from '../bindings.ts'
import type { KernelSource } from '../dispatch.ts'
import type { Gpu } from '../gpu.ts'
import { tanhWgsl } from './activation.ts'
import { type AttentionShape, kvPageConstants, kvPagesWgsl } from './kv-pages.ts'
import { quadsWgsl } from './quads.ts'
import { unroll } from './unroll.ts'

/** What decode and prefill attention both read and write. */
export interface AttentionBindings {
  /** f32 (rows, (numHeads + 2 numKvHeads) * headDim): only the queries, turned already, are read. */
  readonly qkv: GPUBuffer
  /** Pages of kv-pages.ts, in which the rows' own keys and values are already */
  readonly keys: GPUBuffer
  readonly values: GPUBuffer
  /** u32 (sequence slots, maxPagesPerSequence) */
  readonly pageTable: GPUBuffer
  readonly batch: BatchBuffers
  /** f32 (rows, numHeads * headDim) */
  readonly output: GPUBuffer
  readonly shape: AttentionShape
  readonly maxPagesPerSequence: number
  /** Left out, the adapter decides. */
  readonly variant?: AttentionVariant
}

/**
 * `serial`: a thread works alone, for software adapters. `parallel`: a workgroup works together, for GPUs. `quads`: decode by
 * subgroups of four lanes, without barriers; for heads whose width is a multiple of 16, others are for `serial`.
 */
export type AttentionVariant = 'serial' | 'parallel' | 'quads'

/** Threads of a workgroup of the parallel variants, which hold a quad (four components) of a head each. */
export const parallelThreads = 64

/**
 * The variant asked for or that suits the adapter; heads too wide for a workgroup are for the serial one.
 * @throws BrasaError `unsupported_architecture`
 */
export function attentionVariant(gpu: Gpu, { shape, variant }: AttentionBindings): AttentionVariant {
  const { numHeads, numKvHeads, headDim } = shape
  if (headDim % 4 !== 0 || numHeads % numKvHeads !== 0) {
    throw new BrasaError('unsupported_architecture', {
      message: `Attention with ${numHeads} heads of ${headDim} over ${numKvHeads} key-value heads does not fit the WebGPU kernels: heads must be multiples of the key-value heads, and their width of 4. Use another backend.`,
      details: { numHeads, numKvHeads, headDim },
    })
  }
  if (headDim > 4 * parallelThreads || (variant === 'quads' && headDim % 16 !== 0)) return 'serial'
  return variant ?? (gpu.isSoftware ? 'serial' : 'parallel')
}

/** How many heads of one group share the loads of a key, at most: what a vec4 of scores holds. */
const maxHeadsPerTile = 4

/**
 * Quads of queries that a thread of the serial variant holds, at most: registers, and code written out for each. Four heads of 256
 * on SwiftShader took some ten times as long to compile as one does.
 */
export const maxSerialQuads = 64

/** Cuts a group of query heads that share a KV head into tiles of at most four heads. */
export function headTiling(
  { numHeads, numKvHeads, headDim }: AttentionShape,
  variant: AttentionVariant,
): {
  readonly headsPerTile: number
  readonly headTiles: number
} {
  const group = numHeads / numKvHeads
  const fitting = variant === 'parallel' ? maxHeadsPerTile : Math.floor(maxSerialQuads / (headDim / 4))
  const maxHeads = Math.max(1, Math.min(fitting, maxHeadsPerTile))
  const headTiles = Math.ceil(group / maxHeads)
  return { headTiles, headsPerTile: Math.ceil(group / headTiles) }
}

/**
 * Keys between two corrections of the running sums. On SwiftShader at position 2,000 (CPU time of 30 layers, 110 ms, of which the
 * loads alone are 84): 8 keys 1.29 times, vec4 sums instead of dot() 1.05, loads of single f32 1.2, fma() 1.0.
 */
const tileKeys = 32

/** What every attention kernel has before it. */
const prelude = [batchWgsl, kvPagesWgsl, tanhWgsl, softCapWgsl, windowWgsl].join('\n')

const shapeConstants = (shape: AttentionShape, maxPagesPerSequence: number) => {
  const { numHeads, scale, softCap = 0, window = 0 } = shape
  return { ...kvPageConstants(shape, maxPagesPerSequence), numHeads, scale, softCap, window }
}

const constantsOf = (counts: Readonly<Record<string, number>>) =>
  Object.entries(counts)
    .map(([name, count]) => `const ${name} = ${count}u;`)
    .join('\n')

/** `kernel` after common/attend.wgsl, with their loops over registers written out for this shape. */
export function serialAttentionSource(
  label: string,
  kernel: string,
  shape: AttentionShape,
  maxPagesPerSequence: number,
  rowsPerThread: number,
): KernelSource {
  const { headTiles, headsPerTile } = headTiling(shape, 'serial')
  const counts = { heads: headsPerTile, quads: shape.headDim / 4, rowsPerThread, tileKeys }
  return {
    label,
    code: [constantsOf(counts), prelude, unroll(`${attendWgsl}\n${kernel}`, counts)].join('\n'),
    constants: { ...shapeConstants(shape, maxPagesPerSequence), headTiles },
  }
}

/**
 * Steps of four keys between two corrections of the running sums. On SwiftShader at position 2,000, as time relative to the serial
 * variant's: 32 steps 0.7, 16 steps 0.85, 8 steps 0.9; two splits instead of four 1.0.
 */
const tileSteps = 32

/** `kernel`, of subgroups of four lanes, with its loops over registers written out for this shape. */
export function quadsAttentionSource(
  label: string,
  kernel: string,
  shape: AttentionShape,
  maxPagesPerSequence: number,
): KernelSource {
  const { headTiles, headsPerTile } = headTiling(shape, 'quads')
  const quads = shape.headDim / 4
  const counts = { heads: headsPerTile, quads, laneQuads: quads / 4, lanes: 4, tileSteps }
  return {
    label: `${label}_quads`,
    code: [quadsWgsl, constantsOf(counts), prelude, unroll(kernel, counts)].join('\n'),
    constants: { ...shapeConstants(shape, maxPagesPerSequence), headTiles },
  }
}

/** `kernel`, a workgroup's, with numbers that all of them need and its own `constants`. */
export function parallelAttentionSource(
  label: string,
  kernel: string,
  shape: AttentionShape,
  maxPagesPerSequence: number,
  constants: Readonly<Record<string, number>>,
): KernelSource {
  return {
    label: `${label}_parallel`,
    code: `${prelude}\n${kernel}`,
    constants: {
      ...shapeConstants(shape, maxPagesPerSequence),
      headDim: shape.headDim,
      ...constants,
    },
  }
}

/** Bindings 0 to 5 of every attention kernel. */
export function attentionInputs({ batch, qkv, keys, values, pageTable }: AttentionBindings): Binding[] {
  return [uniform(batch.count), reads(batch.rows), reads(qkv), reads(keys), reads(values), reads(pageTable)]
}
