import { describe, expect, test } from 'vitest'
import { tinyModel } from '../reference/tiny-model.ts'
import type { Remembered } from '../remembered.ts'
import { chooseThreads } from './thread-choice.ts'
import { type ThreadTimes, timeInOrder } from './time-threads.ts'

const { spec, weights } = tinyModel()

function memory(): Remembered<ThreadTimes> & { readonly entries: Map<string, ThreadTimes> } {
  const entries = new Map<string, ThreadTimes>()
  return {
    entries,
    get: async (key) => entries.get(key),
    set: async (key, times) => void entries.set(key, times),
  }
}

/** A machine on which a layer takes so long with each number of threads. */
function choose(
  times: ThreadTimes,
  {
    most = 8,
    threads,
    remembered = memory(),
  }: { most?: number; threads?: number; remembered?: Remembered<ThreadTimes> } = {},
) {
  const timed: number[] = []
  const choice = chooseThreads(
    spec,
    weights.tensors,
    { precision: 'int16', threads, remembered },
    most,
    async (_, __, counts) => {
      timed.push(...counts)
      return Object.fromEntries(counts.map((count) => [count, times[count]!]))
    },
  )
  return choice.then(({ numThreads, layerMs }) => ({ numThreads, layerMs, timed }))
}

describe('chooseThreads', () => {
  test.each([
    { what: 'all where more are faster', times: { 1: 8, 4: 2.4, 8: 1.4 }, best: 8 },
    { what: 'half where the others share their cores', times: { 1: 8, 4: 2.4, 8: 2.9 }, best: 4 },
    { what: 'one where the others are never there', times: { 1: 8, 4: 9, 8: 30 }, best: 1 },
    { what: 'the fewer of two that are alike', times: { 1: 8, 4: 2.4, 8: 2.38 }, best: 4 },
  ])('takes $what', async ({ times, best }) => {
    const { numThreads, layerMs, timed } = await choose(times)
    expect(timed).toEqual([1, 4, 8])
    expect(numThreads).toBe(best)
    expect(layerMs).toBe(times[best as keyof typeof times])
  })

  test.each([
    [1, [1]],
    [2, [1, 2]],
    [3, [1, 2, 3]],
    [6, [1, 3, 6]],
  ])('tries with %i cores %j', async (most, counts) => {
    const { timed } = await choose({ 1: 1, 2: 1, 3: 1, 6: 1 }, { most })
    expect(timed).toEqual(counts)
  })

  test('times the number that was asked for alone, and no more than there are cores', async () => {
    expect(await choose({ 2: 3 }, { threads: 2 })).toEqual({ numThreads: 2, layerMs: 3, timed: [2] })
    expect(await choose({ 8: 3 }, { threads: 64 })).toEqual({ numThreads: 8, layerMs: 3, timed: [8] })
  })

  test('measures once, and again where there are other cores, nothing can be kept or several threads lost to one', async () => {
    const remembered = memory()
    const first = await choose({ 1: 8, 4: 2, 8: 3 }, { remembered })
    expect(await choose({ 1: 1, 4: 1, 8: 1 }, { remembered })).toEqual({ ...first, timed: [] })
    const busy = { 1: 8, 2: 9 }
    expect(await choose(busy, { remembered, most: 2 })).toMatchObject({ numThreads: 1, timed: [1, 2] })
    expect(await choose({ 1: 8, 2: 5 }, { remembered, most: 2 })).toMatchObject({
      numThreads: 2,
      timed: [1, 2],
    })
    expect((await choose(busy, { remembered, most: 2 })).numThreads).toBe(2)
    const fail = async () => {
      throw new DOMException('No storage.', 'InvalidStateError')
    }
    for (let load = 0; load < 2; load++) {
      const { timed } = await choose({ 1: 8, 4: 2, 8: 3 }, { remembered: { get: fail, set: fail } })
      expect(timed).toEqual([1, 4, 8])
    }
  })
})

describe('timeInOrder', () => {
  /** A clock that only steps move; each count has the times of its steps, the last one again and again. */
  async function onFakeClock(stepMs: Readonly<Record<number, readonly number[]>>) {
    let at = 1000
    const steps: Record<number, number> = {}
    const counts = Object.keys(stepMs).map(Number)
    const times = await timeInOrder(
      counts,
      async (count) => {
        // Starting threads is not timed.
        at += 500
        return () => {
          const own = stepMs[count]!
          const index = steps[count] ?? 0
          steps[count] = index + 1
          at += own[Math.min(index, own.length - 1)]!
        }
      },
      () => at,
    )
    return { times, steps, spentMs: at - 1000 - 500 * counts.length }
  }

  test('gives the shortest step of each, and does not count the warm-up', async () => {
    const { times } = await onFakeClock({ 1: [2, 30, 5, 4], 4: [9, 1.5, 3] })
    expect(times).toEqual([4, 1.5])
  })

  test.each([
    ['fast steps', { 1: [0.5], 4: [0.2], 8: [0.1] }],
    ['steps of unlike lengths', { 1: [9], 4: [4], 8: [13] }],
  ])('ends in a tenth of a second with %s', async (_, stepMs: Record<number, number[]>) => {
    const { spentMs } = await onFakeClock(stepMs)
    expect(spentMs).toBeGreaterThan(30)
    expect(spentMs).toBeLessThanOrEqual(100)
  })

  test('runs a step that is longer than its share twice, and no more', async () => {
    const { times, steps } = await onFakeClock({ 1: [300], 4: [80] })
    expect(times).toEqual([300, 80])
    expect(steps).toEqual({ 1: 4, 4: 2 })
  })
})
