import { describe, expect, it } from 'vitest'
import { tinyModel } from '../reference/tiny-model.ts'
import { byteLengthOf, copyKvCache, createKvCache, type KvCache, reserve, writeRows } from './kv-cache.ts'

const { spec } = tinyModel({ type: 'Q4_K', embeddingType: 'Q6_K' })
const { numKvHeads, headDim } = spec.blocks[0]!.attention

/** Writes `position + head / 10` into every component of a position. */
function writePosition(cache: KvCache, position: number): void {
  reserve(cache, spec, position + 1)
  const rows = new Float32Array(numKvHeads * headDim)
  for (let head = 0; head < numKvHeads; head++) {
    rows.fill(position + head / 10, head * headDim, (head + 1) * headDim)
  }
  for (const buffer of [...cache.keys, ...cache.values]) {
    writeRows(buffer, rows, position, { capacity: cache.capacity, numKvHeads, headDim })
  }
}

function expectPositions(cache: KvCache, length: number): void {
  for (const buffer of [...cache.keys, ...cache.values]) {
    expect(buffer).toHaveLength(numKvHeads * cache.capacity * headDim)
    for (let head = 0; head < numKvHeads; head++) {
      for (let position = 0; position < length; position++) {
        const at = (head * cache.capacity + position) * headDim
        expect(buffer[at]).toBeCloseTo(position + head / 10, 4)
        expect(buffer[at + headDim - 1]).toBe(buffer[at])
      }
    }
  }
}

describe('the cache of keys and values', () => {
  it('keeps every position as it grows and shrinks, a step of 64 at a time', () => {
    expect(numKvHeads).toBeGreaterThan(1)
    const cache = createKvCache(spec)
    for (let position = 0; position < 200; position++) writePosition(cache, position)
    expect(cache.capacity).toBe(256)
    expectPositions(cache, 200)
    reserve(cache, spec, 65)
    expect(cache.capacity).toBe(128)
    expectPositions(cache, 128)
  })

  it('copies what is held, and no more', () => {
    const cache = createKvCache(spec)
    for (let position = 0; position < 200; position++) writePosition(cache, position)
    const copy = copyKvCache(cache, spec, 100)
    expect(byteLengthOf(copy)).toBe(byteLengthOf(cache) / 2)
    for (const buffer of cache.keys) buffer.fill(-1)
    expectPositions(copy, 100)
  })
})
