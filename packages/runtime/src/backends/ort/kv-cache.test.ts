import { describe, expect, it } from 'vitest'
import { rollbackTokens } from '../executor.ts'
import { tinyModel } from '../reference/tiny-model.ts'
import type { TransformerSpec } from '../transformer-spec.ts'
import {
  advance,
  byteLengthOf,
  copyKvCache,
  createKvCache,
  type KvCache,
  reserve,
  rollbackKvCache,
  writeRows,
} from './kv-cache.ts'
import { windowOf } from './shared-inputs.ts'

const { spec } = tinyModel({ type: 'Q4_K', embeddingType: 'Q6_K' })
const { numKvHeads, headDim } = spec.blocks[0]!.attention
const window = 100
/** The first block reads 100 positions, the second all. */
const windowed: TransformerSpec = {
  ...spec,
  blocks: spec.blocks.map((block, index) =>
    index === 0 ? { ...block, attention: { ...block.attention, window } } : block,
  ),
}

/** Writes `position + head / 10` into every component of `count` positions. */
function writePositions(cache: KvCache, first: number, count: number, spec: TransformerSpec): void {
  reserve(cache, spec, first + count)
  advance(cache, first + count)
  const rows = Float32Array.from({ length: numKvHeads * count * headDim }, (_, i) => {
    const head = Math.floor(i / (count * headDim))
    return first + (Math.floor(i / headDim) % count) + head / 10
  })
  for (const [index, { attention }] of spec.blocks.entries()) {
    const layout = { ...attention, capacity: cache.spans.get(windowOf(attention))!.capacity }
    writeRows(cache.keys[index]!, rows, first, layout)
    writeRows(cache.values[index]!, rows, first, layout)
  }
}

/** @param first of the positions that the window needs */
function expectPositions(cache: KvCache, first: number, length: number, block = 0, in_ = spec): void {
  const { capacity, start } = cache.spans.get(windowOf(in_.blocks[block]!.attention))!
  expect(start).toBeLessThanOrEqual(first)
  for (const buffer of [cache.keys[block]!, cache.values[block]!]) {
    expect(buffer).toHaveLength(numKvHeads * capacity * headDim)
    for (let head = 0; head < numKvHeads; head++) {
      for (let position = first; position < length; position++) {
        const at = (head * capacity + (position % capacity)) * headDim
        expect(buffer[at]).toBeCloseTo(position + head / 10, 4)
        expect(buffer[at + headDim - 1]).toBe(buffer[at])
      }
    }
  }
}

const capacityOf = (cache: KvCache, window = Infinity) => cache.spans.get(window)!.capacity

describe('the cache of keys and values', () => {
  it('keeps every position as it grows and shrinks, a step of 64 at a time', () => {
    expect(numKvHeads).toBeGreaterThan(1)
    const cache = createKvCache(spec)
    for (let position = 0; position < 200; position++) writePositions(cache, position, 1, spec)
    expect(capacityOf(cache)).toBe(256)
    expectPositions(cache, 0, 200)
    reserve(cache, spec, 65)
    expect(capacityOf(cache)).toBe(128)
    expectPositions(cache, 0, 128)
  })

  it('copies what is held, and no more', () => {
    const cache = createKvCache(spec)
    for (let position = 0; position < 200; position++) writePositions(cache, position, 1, spec)
    const copy = copyKvCache(cache, spec, 100)
    expect(byteLengthOf(copy)).toBe(byteLengthOf(cache) / 2)
    for (const buffer of cache.keys) buffer.fill(-1)
    expectPositions(copy, 0, 100)
  })

  it('keeps a window, and what a rollback may need behind it, in a ring', () => {
    const cache = createKvCache(windowed)
    for (let first = 0; first < 1000; first += 50) writePositions(cache, first, 50, windowed)
    expect(capacityOf(cache)).toBe(1024)
    expect(capacityOf(cache, window)).toBe(192)
    expectPositions(cache, 1000 - rollbackTokens - window + 1, 1000, 0, windowed)
    expectPositions(cache, 0, 1000, 1, windowed)
    const copy = copyKvCache(cache, windowed, 1000)
    writePositions(cache, 1000, 64, windowed)
    expectPositions(copy, 1000 - rollbackTokens - window + 1, 1000, 0, windowed)
  })

  it('goes back as far as every executor must, and then to nothing', () => {
    const cache = createKvCache(windowed)
    for (let first = 0; first < 1000; first += 50) writePositions(cache, first, 50, windowed)
    const back = 1000 - rollbackTokens
    expect(rollbackKvCache(cache, back)).toBe(back)
    // Written again, the window behind is still there.
    writePositions(cache, back, 1, windowed)
    expectPositions(cache, back - window + 1, back + 1, 0, windowed)
    expect(rollbackKvCache(cache, 500)).toBe(0)
    expect(rollbackKvCache(cache, 0)).toBe(0)
    writePositions(cache, 0, 64, windowed)
    expect(capacityOf(cache, window)).toBe(64)
    expectPositions(cache, 0, 64, 0, windowed)
  })

  it('goes back anywhere while nothing was overwritten', () => {
    const cache = createKvCache(windowed)
    for (let first = 0; first < 192; first += 64) writePositions(cache, first, 64, windowed)
    expect(rollbackKvCache(cache, 3)).toBe(3)
    expectPositions(cache, 0, 3, 0, windowed)
  })
})
