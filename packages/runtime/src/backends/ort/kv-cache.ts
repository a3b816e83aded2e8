import { rollbackTokens } from '../executor.ts'
import type { TransformerSpec } from '../transformer-spec.ts'
import { windowOf } from './shared-inputs.ts'

/**
 * Keys and values of one sequence, a buffer (numKvHeads, capacity, headDim) for each block and kind, fed to the graph as it is.
 * Capacity follows the length in steps, so that no more than a step's worth of unused positions is fed, up to what a window
 * needs: there the buffer becomes a ring.
 *
 * The wasm provider copies what it is fed, and copies out what it gives. Fed alone, and read where they lie, 1,024 positions of
 * 30 layers with 192 components cost 9 ms a token (two threads, a 2-core machine); given back out with a row appended, as past
 * and present of GroupQueryAttention are, 25 ms. A decode step takes 22 ms at position 100 and 24-26 ms at 1,000.
 */
export interface KvCache {
  /** By window: blocks of the same window hold the same positions. */
  readonly spans: ReadonlyMap<number, Span>
  readonly keys: Float32Array[]
  readonly values: Float32Array[]
}

/** Position p lies at p modulo `capacity`, for p from `start` to the sequence's length. */
export interface Span {
  capacity: number
  start: number
}

/** Positions by which a cache grows: re-laying it costs a copy of all of it, feeding it costs one too, at every token. */
const capacityStep = 64

export function createKvCache({ blocks }: TransformerSpec): KvCache {
  const spans = new Map(
    blocks.map(({ attention }) => [windowOf(attention), { capacity: capacityStep, start: 0 }]),
  )
  const buffers = () =>
    blocks.map(({ attention }) => new Float32Array(attention.numKvHeads * capacityStep * attention.headDim))
  return { spans, keys: buffers(), values: buffers() }
}

/** Positions that blocks of this window hold of a sequence of `length`: a row's window behind any rollback. */
export function capacityFor(length: number, window: number): number {
  const inSteps = (positions: number) => Math.max(1, Math.ceil(positions / capacityStep)) * capacityStep
  return Math.min(inSteps(length), inSteps(window - 1 + rollbackTokens))
}

/** The first `length` positions, in a cache of their own. */
export function copyKvCache(cache: KvCache, spec: TransformerSpec, length: number): KvCache {
  const copy = {
    spans: new Map([...cache.spans].map(([window, span]) => [window, { ...span }])),
    keys: [...cache.keys],
    values: [...cache.values],
  }
  resize(copy, spec, length, true)
  return copy
}

/** Gives the cache the capacity for `length` positions, and no more than a step beyond. Keeps what fits. */
export function reserve(cache: KvCache, spec: TransformerSpec, length: number): void {
  resize(cache, spec, length, false)
}

/** Tells the cache that rows up to `length` are about to be written, in rings over the oldest. */
export function advance({ spans }: KvCache, length: number): void {
  for (const span of spans.values()) span.start = Math.max(span.start, length - span.capacity)
}

/** Forgets positions from `length` on. @returns `length`, or 0 where a window reached back to positions that are gone */
export function rollbackKvCache({ spans }: KvCache, length: number): number {
  const isHeld = ([window, { start }]: [number, Span]) => start === 0 || length - window + 1 >= start
  if ([...spans].every(isHeld)) return length
  for (const span of spans.values()) span.start = 0
  return 0
}

/** Writes new rows (numKvHeads, numRows, headDim) of one block at `position`: at most `capacity` rows. */
export function writeRows(
  buffer: Float32Array,
  rows: Float32Array,
  position: number,
  { capacity, numKvHeads, headDim }: { capacity: number; numKvHeads: number; headDim: number },
): void {
  const headLength = rows.length / numKvHeads
  const slot = position % capacity
  const beforeEnd = Math.min(headLength, (capacity - slot) * headDim)
  for (let head = 0; head < numKvHeads; head++) {
    const from = rows.subarray(head * headLength, (head + 1) * headLength)
    buffer.set(from.subarray(0, beforeEnd), (head * capacity + slot) * headDim)
    buffer.set(from.subarray(beforeEnd), head * capacity * headDim)
  }
}

export function byteLengthOf({ keys, values }: Pick<KvCache, 'keys' | 'values'>): number {
  return [...keys, ...values].reduce((sum, buffer) => sum + buffer.byteLength, 0)
}

function resize(cache: KvCache, { blocks }: TransformerSpec, length: number, always: boolean): void {
  for (const [window, span] of cache.spans) {
    // Where the oldest positions are overwritten, order is no longer that of the buffer, and capacity is at its greatest.
    const capacity = span.start > 0 ? span.capacity : capacityFor(length, window)
    if (capacity === span.capacity && !always) continue
    for (const buffers of [cache.keys, cache.values]) {
      for (const [index, { attention }] of blocks.entries()) {
        if (windowOf(attention) !== window) continue
        const { numKvHeads, headDim } = attention
        buffers[index] = resized(buffers[index]!, numKvHeads, headDim, span.capacity, capacity)
      }
    }
    span.capacity = capacity
  }
}

function resized(buffer: Float32Array, numKvHeads: number, headDim: number, from: number, to: number) {
  const copy = new Float32Array(numKvHeads * to * headDim)
  const kept = Math.min(from, to) * headDim
  for (let head = 0; head < numKvHeads; head++) {
    const start = head * from * headDim
    copy.set(buffer.subarray(start, start + kept), head * to * headDim)
  }
  return copy
}
