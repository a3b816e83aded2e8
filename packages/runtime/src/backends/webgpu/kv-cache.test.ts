import { expect, test } from 'vitest'
import type { TransformerSpec } from '../transformer-spec.ts'
import { writeBuffer } from './gpu.ts'
import { kvPageBytes, kvPageTokens } from './kernels/kv-pages.ts'
import { createKvCache, type KvCache } from './kv-cache.ts'
import { downloaded, testGpu } from './test-gpu.ts'

const attention = { numKvHeads: 1, headDim: 4 }
/** Only what the cache reads of a description: two layers of one head. */
const spec = { blocks: [{ attention }, { attention }] } as unknown as TransformerSpec
const contextLength = 40 * kvPageTokens + 5

async function cacheWith(numSlots: number) {
  const gpu = await testGpu()
  const cache = createKvCache(gpu, spec, contextLength, numSlots)
  const pagesOf = async (slot: number, count: number) => {
    const table = new Uint32Array(await downloaded(gpu, cache.pageTable))
    return [...table.subarray(slot * cache.maxPagesPerSequence).subarray(0, count)]
  }
  /** Marks a page in every buffer of the cache, so that copies can be told. */
  const mark = (page: number, value: number) => {
    for (const buffer of [...cache.keys, ...cache.values]) {
      writeBuffer(gpu, buffer, page * kvPageBytes(attention), new Float32Array([value]))
    }
  }
  const markOf = (page: number) =>
    Promise.all(
      [...cache.keys, ...cache.values].map(async (buffer) => {
        return new Float32Array(await downloaded(gpu, buffer))[(page * kvPageBytes(attention)) / 4]
      }),
    )
  return { cache, pagesOf, mark, markOf }
}

const reserve = (cache: KvCache, slot: number, from: number, to: number) => cache.reserve(slot, from, to)

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
