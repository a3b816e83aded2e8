import { describe, expect, test } from 'vitest'
import type { Feeds, Tensors } from '../onnx-protocol.ts'
import { createBatching } from './onnx-batching.ts'

const row = (...values: number[]): Feeds => ({
  x: { dims: [1, values.length], data: Float32Array.from(values) },
})
const valuesOf = ({ y }: Tensors) => [...(y!.data as Float32Array)]

/** y = 2 x, noting how many rows each run had. Fails where a value is negative. */
function doubling(shapeOf = (dims: readonly number[]) => dims) {
  const runs: number[] = []
  const run = async ({ x }: Feeds): Promise<Tensors> => {
    runs.push(x!.dims[0]!)
    const data = (x!.data as Float32Array).map((value) => 2 * value)
    if (data.some((value) => value < 0)) throw new Error('negative')
    return { y: { type: 'float32', dims: shapeOf(x!.dims), data } }
  }
  return { run, runs }
}

describe('createBatching', () => {
  test('joins up to maxBatch rows at once, and the rest after maxWaitMs', async () => {
    const { run, runs } = doubling()
    const batched = createBatching(run, { maxBatch: 4, maxWaitMs: 10 })
    const results = await Promise.all(Array.from({ length: 10 }, (_, index) => batched(row(index, 1))))
    expect(runs).toEqual([4, 4, 2])
    expect(results.map(valuesOf)).toEqual(Array.from({ length: 10 }, (_, index) => [2 * index, 2]))
    expect(results[3]!.y!.dims).toEqual([1, 2])
    // Each to be transferred on its own.
    expect(new Set(results.map(({ y }) => (y!.data as Float32Array).buffer)).size).toBe(10)
  })

  test('joins only rows of one shape, and runs what is not one row as it is', async () => {
    const { run, runs } = doubling()
    const batched = createBatching(run, { maxBatch: 8, maxWaitMs: 5 })
    const two: Feeds = { x: { dims: [2, 1], data: Float32Array.of(5, 6) } }
    const results = await Promise.all([batched(row(1)), batched(row(1, 2)), batched(row(3)), batched(two)])
    expect(runs.toSorted()).toEqual([1, 2, 2])
    expect(results.map(valuesOf)).toEqual([[2], [2, 4], [6], [10, 12]])
  })

  test('joins nothing where maxBatch is 1', async () => {
    const { run, runs } = doubling()
    const batched = createBatching(run, { maxBatch: 1, maxWaitMs: 1000 })
    await Promise.all([batched(row(1)), batched(row(2))])
    expect(runs).toEqual([1, 1])
  })

  test('a row that fails is the failure of nobody else', async () => {
    const { run, runs } = doubling()
    const batched = createBatching(run, { maxBatch: 3, maxWaitMs: 5 })
    const results = await Promise.allSettled([batched(row(1)), batched(row(-1)), batched(row(3))])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(runs).toEqual([3, 1, 1, 1])
  })

  test('a model whose results are not rows gets its rows one by one', async () => {
    const { run, runs } = doubling((dims) => [dims.reduce((product, dim) => product * dim, 1) + 1000])
    const batched = createBatching(run, { maxBatch: 2, maxWaitMs: 5 })
    const results = await Promise.all([batched(row(1)), batched(row(2))])
    expect(results.map(valuesOf)).toEqual([[2], [4]])
    await Promise.all([batched(row(3)), batched(row(4))])
    expect(runs).toEqual([2, 1, 1, 1, 1])
  })

  test('joins texts, numbers of 64 bits and several inputs', async () => {
    const seen: Feeds[] = []
    const run = async (feeds: Feeds): Promise<Tensors> => {
      seen.push(feeds)
      const { dims, data } = feeds.words!
      return { y: { type: 'string', dims, data } }
    }
    const batched = createBatching(run, { maxBatch: 2, maxWaitMs: 5 })
    const feedsOf = (word: string, id: bigint): Feeds => ({
      words: { dims: [1, 1], data: [word] },
      ids: { dims: [1], data: BigInt64Array.of(id) },
    })
    const results = await Promise.all([batched(feedsOf('a', 1n)), batched(feedsOf('b', 2n))])
    expect(seen).toEqual([
      { words: { dims: [2, 1], data: ['a', 'b'] }, ids: { dims: [2], data: BigInt64Array.of(1n, 2n) } },
    ])
    expect(results.map(({ y }) => y!.data)).toEqual([['a'], ['b']])
  })
})
