import type { TransformerSpec } from '../transformer-spec.ts'
import type { Gpu } from './gpu.ts'
import { kvPageTokens } from './kernels/kv-pages.ts'
import { kvGroups } from './kv-groups.ts'
import { createKvPagePool } from './kv-page-pool.ts'

/** Keys and values of all sequences: a pool of pages for each group of layers that have the same window. */
export interface KvCache {
  /** By block. */
  readonly layers: readonly KvLayer[]
  readonly maxPagesPerSequence: number
  /** Changes when buffers are replaced and dispatches that bind them must be prepared anew. */
  readonly generation: number
  readonly byteLength: number
  /**
   * Makes the positions from `length` up to `newLength` of a slot writable, and gives back what is too far behind `length` for
   * any later token to read, `rollbackTokens` counted in.
   * @throws BrasaError `out_of_memory`; what was held stays held
   */
  reserve(slot: number, length: number, newLength: number): Promise<void>
  /**
   * Forgets what is past the first `length` tokens, or everything if what the next token would read is no longer held.
   * @returns how many tokens are left: `length` or 0
   */
  truncate(slot: number, length: number): number
  /** Makes `target` hold the same pages as `source`. */
  share(source: number, target: number): void
  destroy(): void
}

/** What a layer's kernels bind, until the next generation. */
export interface KvLayer {
  readonly keys: GPUBuffer
  readonly values: GPUBuffer
  /** u32 (numSlots, maxPagesPerSequence) */
  readonly pageTable: GPUBuffer
  readonly maxPagesPerSequence: number
  /** Absent where it is no shorter than the context. */
  readonly window: number | undefined
}

export interface KvCacheOptions {
  readonly contextLength: number
  readonly numSlots: number
  /** The most tokens that one `reserve` adds. */
  readonly chunkSize: number
}

export function createKvCache(
  gpu: Gpu,
  spec: TransformerSpec,
  { contextLength, numSlots, chunkSize }: KvCacheOptions,
): KvCache {
  const maxPagesPerSequence = Math.ceil(contextLength / kvPageTokens)
  const pools = kvGroups(spec, contextLength, chunkSize).map((group) =>
    createKvPagePool(gpu, group, maxPagesPerSequence, numSlots),
  )
  let generation = 0
  return {
    get layers() {
      return spec.blocks.map((_, layer) => {
        const { group, keys, values, pageTable } = pools.find(({ group }) => group.layers.includes(layer))!
        const i = group.layers.indexOf(layer)
        return {
          keys: keys[i]!,
          values: values[i]!,
          pageTable,
          maxPagesPerSequence,
          window: group.window,
        }
      })
    },
    maxPagesPerSequence,
    get generation() {
      return generation
    },
    get byteLength() {
      return pools.reduce((sum, { byteLength }) => sum + byteLength, 0)
    },
    async reserve(slot, length, newLength) {
      for (const pool of pools) {
        if (await pool.reserve(slot, length, newLength)) generation += 1
      }
    },
    truncate(slot, length) {
      const kept = pools.every((pool) => pool.holdsWindow(slot, length)) ? length : 0
      for (const pool of pools) pool.truncate(slot, kept)
      return kept
    },
    share(source, target) {
      for (const pool of pools) pool.share(source, target)
    },
    destroy() {
      for (const pool of pools) pool.destroy()
    },
  }
}
