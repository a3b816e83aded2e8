import { describe, expect, test } from 'vitest'
import { BrasaError } from '../../errors.ts'
import { tinyModel } from '../reference/tiny-model.ts'
import { createHeap, type Heap } from './heap.ts'
import { createKvPages, pageTokens } from './kv-cache.ts'

describe('createHeap', () => {
  test('gives zeros on cache lines of their own, also above 2 GiB', () => {
    const heap = createHeap(false)
    const low = heap.allocate(5)
    // Never written, so that it is address space and no memory.
    heap.allocate(2 ** 31)
    const [high, next] = [heap.allocate(100), heap.allocate(1)]
    expect([low % 64, high % 64, next - high]).toEqual([0, 0, 128])
    expect(high).toBeGreaterThan(2 ** 31)
    expect([...heap.floats(high, 25)].every((value) => value === 0)).toBe(true)
    heap.words(high, 1)[0] = high
    expect(heap.words(high, 1)[0]).toBe(high)
    expect(heap.usedBytes).toBeGreaterThan(2 ** 31)
  })

  test.each([false, true])('says the limit where 4 GiB do not do, and goes on (shared: %s)', (isShared) => {
    const heap = createHeap(isShared)
    const before = heap.usedBytes
    for (const byteLength of [2 ** 32, 2 ** 33, 5e12]) {
      let error: unknown
      try {
        heap.allocate(byteLength)
      } catch (thrown) {
        error = thrown
      }
      expect(error).toBeInstanceOf(BrasaError)
      expect(error).toMatchObject({ code: 'out_of_memory' })
      expect((error as BrasaError).message).toMatch(/at most 4,096 MiB.*smaller model or contextLength/)
    }
    expect(heap.usedBytes).toBe(before)
    expect(heap.floats(heap.allocate(400), 100)).toHaveLength(100)
  })
})

describe('createKvPages', () => {
  /** A heap that has room for so many allocations more. */
  function heapWith(room: { left: number }): Heap {
    const heap = createHeap(false)
    return {
      ...heap,
      allocate(byteLength) {
        if (room.left-- <= 0) throw new BrasaError('out_of_memory', { message: 'WebAssembly has no room.' })
        return heap.allocate(byteLength)
      },
    }
  }

  test('says so where there is no room for another page, and the pages that are there serve on', () => {
    const { spec } = tinyModel({ contextLength: 10 * pageTokens })
    // A page table for each of two sequences, and three pages.
    const room = { left: 5 }
    const pages = createKvPages(spec, 10 * pageTokens, 2, heapWith(room))
    const [first, second] = [pages.createCache(), pages.createCache()]
    first.reserve(2 * pageTokens)
    let error: unknown
    try {
      second.reserve(2 * pageTokens)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toMatchObject({ code: 'out_of_memory' })
    expect((error as BrasaError).message).toMatch(/no room for more keys and values.*smaller contextLength/)
    const held = pages.byteLength
    second.reserve(pageTokens)
    first.free()
    second.reserve(3 * pageTokens)
    expect(pages.byteLength).toBe(held)
    second.free()
    expect(new Set(second.pagesOf.flat())).toEqual(new Set())
  })
})
