import type { TransformerSpec } from '../transformer-spec.ts'

/**
 * Keys and values of one sequence, a buffer (numKvHeads, capacity, headDim) for each block and kind, fed to the graph as it is.
 * Capacity follows the length in steps, so that no more than a step's worth of unused positions is fed.
 *
 * The wasm provider copies what it is fed, and copies out what it gives. Fed alone, and read where they lie, 1,024 positions of
 * 30 layers with 192 components cost 9 ms a token (two threads, a 2-core machine); given back out with a row appended, as past
 * and present of GroupQueryAttention are, 25 ms. A decode step takes 22 ms at position 100 and 24-26 ms at 1,000.
 */
export interface KvCache {
  capacity: number
  readonly keys: Float32Array[]
  readonly values: Float32Array[]
}

/** Positions by which a cache grows: re-laying it costs a copy of all of it, feeding it costs one too, at every token. */
const capacityStep = 64

export function createKvCache({ blocks }: TransformerSpec): KvCache {
  const buffers = () =>
    blocks.map(({ attention }) => new Float32Array(attention.numKvHeads * capacityStep * attention.headDim))
  return { capacity: capacityStep, keys: buffers(), values: buffers() }
}

/** The first `length` positions, in a cache of their own. */
export function copyKvCache(cache: KvCache, spec: TransformerSpec, length: number): KvCache {
  const copy = { capacity: cache.capacity, keys: [...cache.keys], values: [...cache.values] }
  resize(copy, spec, length, true)
  return copy
}

/** Gives the cache the capacity for `length` positions, and no more than a step beyond. Keeps what fits. */
export function reserve(cache: KvCache, spec: TransformerSpec, length: number): void {
  resize(cache, spec, length, false)
}

/** Writes new rows (numKvHeads, numRows, headDim) of one block at `position`. */
export function writeRows(
  buffer: Float32Array,
  rows: Float32Array,
  position: number,
  { capacity, numKvHeads, headDim }: { capacity: number; numKvHeads: number; headDim: number },
): void {
  const headLength = rows.length / numKvHeads
  for (let head = 0; head < numKvHeads; head++) {
    const from = rows.subarray(head * headLength, (head + 1) * headLength)
    buffer.set(from, (head * capacity + position) * headDim)
  }
}

export function byteLengthOf({ keys, values }: KvCache): number {
  return [...keys, ...values].reduce((sum, buffer) => sum + buffer.byteLength, 0)
}

function resize(cache: KvCache, { blocks }: TransformerSpec, length: number, always: boolean): void {
  const capacity = Math.max(1, Math.ceil(length / capacityStep)) * capacityStep
  if (capacity === cache.capacity && !always) return
  for (const buffers of [cache.keys, cache.values]) {
    for (const [index, { attention }] of blocks.entries()) {
      const { numKvHeads, headDim } = attention
      const old = buffers[index]!
      const resized = new Float32Array(numKvHeads * capacity * headDim)
      const kept = Math.min(capacity, cache.capacity) * headDim
      for (let head = 0; head < numKvHeads; head++) {
        const from = head * cache.capacity * headDim
        resized.set(old.subarray(from, from + kept), head * capacity * headDim)
      }
      buffers[index] = resized
    }
  }
  cache.capacity = capacity
}
