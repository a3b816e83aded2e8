import fc from 'fast-check'
import { expect, test } from 'vitest'
import { rollbackTokens } from '../executor.ts'
import type { TransformerSpec } from '../transformer-spec.ts'
import { writeBuffer } from './gpu.ts'
import { kvPageBytes, kvPageTokens } from './kernels/kv-pages.ts'
import { createKvCache, type KvCache } from './kv-cache.ts'
import { downloaded, testGpu } from './test-gpu.ts'

const attention = { numKvHeads: 1, headDim: 4 }
const window = 70
const chunkSize = 48
/** Only what the cache reads of a description: layers of one head. */
const specOf = (windows: readonly (number | undefined)[]) =>
  ({
    blocks: windows.map((window) => ({ attention: { ...attention, window } })),
  }) as unknown as TransformerSpec
const contextLength = 40 * kvPageTokens + 5

async function cacheWith(
  numSlots: number,
  windows: readonly (number | undefined)[] = [undefined, undefined],
) {
  const gpu = await testGpu()
  const cache = createKvCache(gpu, specOf(windows), { contextLength, numSlots, chunkSize })
  const pagesOf = async (slot: number, count: number, layer = 0) => {
    const table = new Uint32Array(await downloaded(gpu, cache.layers[layer]!.pageTable))
    return [...table.subarray(slot * cache.maxPagesPerSequence).subarray(0, count)]
  }
  const buffers = () => cache.layers.flatMap(({ keys, values }) => [keys, values])
  /** Marks a page in every buffer of the cache, so that copies can be told. */
  const mark = (page: number, value: number) => {
    for (const buffer of buffers()) {
      writeBuffer(gpu, buffer, page * kvPageBytes(attention), new Float32Array([value]))
    }
  }
  const markOf = (page: number) =>
    Promise.all(
      buffers().map(async (buffer) => {
        return new Float32Array(await downloaded(gpu, buffer))[(page * kvPageBytes(attention)) / 4]
      }),
    )
  return { cache, pagesOf, mark, markOf }
}

const reserve = (cache: KvCache, slot: number, from: number, to: number) => cache.reserve(slot, from, to)

/** As prefill does. */
async function fill(cache: KvCache, slot: number, from: number, to: number): Promise<void> {
  for (let length = from; length < to; length += chunkSize) {
    await cache.reserve(slot, length, Math.min(length + chunkSize, to))
  }
}

test('memory follows the tokens that are held, not the context', async () => {
  const { cache } = await cacheWith(1)
  const before = cache.byteLength
  await reserve(cache, 0, 0, 512)
  expect(cache.byteLength).toBe(before)
  await reserve(cache, 0, 512, 513)
  expect(cache.byteLength).toBe(before * 2)
  expect(cache.generation).toBe(1)
  await reserve(cache, 0, 513, contextLength)
  expect(cache.maxPagesPerSequence).toBe(41)
  expect(cache.byteLength).toBe(41 * 4 * kvPageBytes(attention))
  cache.destroy()
})

test('one sequence makes the cache no larger than it can become', async () => {
  const { cache } = await cacheWith(4)
  await reserve(cache, 0, 0, contextLength)
  expect(cache.byteLength).toBe(41 * 4 * kvPageBytes(attention))
  await reserve(cache, 1, 0, 1)
  expect(cache.byteLength).toBe(2 * 41 * 4 * kvPageBytes(attention))
  cache.destroy()
})

test('growth keeps what the pages hold', async () => {
  const { cache, pagesOf, mark, markOf } = await cacheWith(2)
  await reserve(cache, 1, 0, 512)
  const pages = await pagesOf(1, 16)
  expect(new Set(pages).size).toBe(16)
  for (const page of pages) mark(page, 100 + page)
  await reserve(cache, 1, 512, 600)
  expect(cache.generation).toBe(1)
  expect((await pagesOf(1, 16)).join()).toBe(pages.join())
  for (const page of pages) expect(await markOf(page)).toEqual(Array(4).fill(100 + page))
  cache.destroy()
})

test('a fork shares pages until one of the two writes', async () => {
  const { cache, pagesOf, mark, markOf } = await cacheWith(2)
  await reserve(cache, 0, 0, kvPageTokens + 3)
  cache.share(0, 1)
  const [first, second] = await pagesOf(0, 2)
  expect(await pagesOf(1, 2)).toEqual([first, second])
  mark(second!, 7)
  await reserve(cache, 1, kvPageTokens + 3, kvPageTokens + 4)
  const [sameFirst, own] = await pagesOf(1, 2)
  expect(sameFirst).toBe(first)
  expect(own).not.toBe(second)
  expect(await markOf(own!)).toEqual([7, 7, 7, 7])
  mark(own!, 8)
  expect(await markOf(second!)).toEqual([7, 7, 7, 7])
  // The original is its page's only holder now, and writes in place.
  await reserve(cache, 0, kvPageTokens + 3, kvPageTokens + 4)
  expect(await pagesOf(0, 2)).toEqual([first, second])
  cache.destroy()
})

test('pages that are given back are used again, shared ones only when nobody holds them', async () => {
  const { cache, pagesOf } = await cacheWith(3)
  await reserve(cache, 0, 0, 512)
  const before = cache.byteLength
  cache.share(0, 1)
  cache.truncate(0, 0)
  await reserve(cache, 2, 0, 1)
  expect(cache.byteLength).toBe(before * 2)
  cache.truncate(1, kvPageTokens + 1)
  const held = await pagesOf(1, 2)
  await reserve(cache, 0, 0, 14 * kvPageTokens)
  const reused = await pagesOf(0, 14)
  expect(cache.byteLength).toBe(before * 2)
  expect(reused.filter((page) => held.includes(page))).toEqual([])
  cache.destroy()
})

test('layers with a window hold no more than it, what may be rolled back, and a chunk', async () => {
  const { cache, pagesOf } = await cacheWith(1, [window, undefined, window])
  expect(cache.layers[0]!.pageTable).toBe(cache.layers[2]!.pageTable)
  expect(cache.layers[1]!.window).toBeUndefined()
  await fill(cache, 0, 0, contextLength)
  const windowPages = Math.ceil((window + rollbackTokens + chunkSize) / kvPageTokens) + 1
  expect(cache.byteLength).toBe((41 + 2 * windowPages) * 2 * kvPageBytes(attention))
  const held = Math.floor((contextLength - window - rollbackTokens) / kvPageTokens)
  const tail = (await pagesOf(0, 41)).slice(held)
  expect(new Set(tail).size).toBe(tail.length)
  cache.destroy()
})

test('a window as long as the context is none', async () => {
  const { cache } = await cacheWith(1, [contextLength, undefined])
  expect(cache.layers[0]!.pageTable).toBe(cache.layers[1]!.pageTable)
  expect(cache.layers[0]!.window).toBeUndefined()
  cache.destroy()
})

test('a window can be rolled back as far as promised; further leaves nothing, or all that is read', async () => {
  const { cache } = await cacheWith(1, [undefined, window])
  await fcRollbacks(cache)
  cache.destroy()
})

/** Whatever was filled and rolled back, a row that may be written finds its window's pages in the table. */
async function fcRollbacks(cache: KvCache): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(300), fc.nat(400)), { maxLength: 6 }), async (moves) => {
      let length = 0
      let longest = 0
      for (const [added, back] of moves) {
        await fill(cache, 0, length, length + added)
        length += added
        longest = Math.max(longest, length)
        const target = Math.max(0, length - back)
        length = cache.truncate(0, target)
        if (target >= longest - rollbackTokens) expect(length).toBe(target)
        else expect([0, target]).toContain(length)
        if (length === 0) longest = 0
        if (length > contextLength - 300) length = cache.truncate(0, 0)
      }
      cache.truncate(0, 0)
    }),
    { numRuns: 30 },
  )
}
