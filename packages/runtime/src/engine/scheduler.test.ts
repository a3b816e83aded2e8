import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Executor } from '../backends/executor.ts'
import { createFakeExecutor, type FakeExecutor, type FakeExecutorOptions } from './fake-executor.ts'
import { createScheduler, maxWaiting, type Scheduler, type SequenceTask } from './scheduler.ts'

const encode = (text: string) => Array.from(text, (character) => character.charCodeAt(0))

/** A task that records what happens to it. */
function recorded(prompt: string, options: Partial<SequenceTask> & { onToken?: () => void } = {}) {
  const record = { tokens: [] as number[], cached: -1, end: undefined as string | undefined }
  const task: SequenceTask = {
    tokens: encode(prompt),
    maxSteps: 10,
    sharesPrefix: true,
    feed: 'sampled',
    signal: new AbortController().signal,
    begin(_executor: Executor, _sequence, cachedTokens) {
      record.cached = cachedTokens
    },
    row: () => ({}),
    take({ token }) {
      record.tokens.push(token)
      options.onToken?.()
      return false
    },
    end(reason) {
      record.end = reason
    },
    ...options,
  }
  return { task, record }
}

/** What the executor samples after `prompt`, alone. */
async function alone(prompt: string, maxSteps = 10, options: FakeExecutorOptions = {}) {
  const { task, record } = recorded(prompt, { maxSteps })
  await createScheduler({
    executor: createFakeExecutor({ contextLength: 512, ...options }),
    lookahead: 4,
  }).run(task)
  return record.tokens
}

function scheduled(options: FakeExecutorOptions = {}): { executor: FakeExecutor; scheduler: Scheduler } {
  const executor = createFakeExecutor({ contextLength: 512, ...options })
  return { executor, scheduler: createScheduler({ executor, lookahead: 4 }) }
}

describe('createScheduler', () => {
  test('three streams all progress, and each says what it would alone', async () => {
    const { scheduler, executor } = scheduled({ stepMs: 1 })
    const order: number[] = []
    const runs = ['one', 'two', 'three'].map((prompt, index) =>
      recorded(prompt, { maxSteps: 30, onToken: () => order.push(index) }),
    )
    await Promise.all(runs.map(({ task }) => scheduler.run(task)))
    for (const [index, prompt] of ['one', 'two', 'three'].entries()) {
      expect(runs[index]!.record.tokens).toEqual(await alone(prompt, 30))
      // By half of all tokens each has had about its share.
      const early = order.slice(0, 45).filter((stream) => stream === index)
      expect(early.length).toBeGreaterThan(10)
    }
    // Together: far fewer steps than tokens.
    expect(executor.numStepsIssued()).toBeLessThan(45)
  })

  test('64 that wait begin in the order they came and all finish; one more is refused', async () => {
    const { scheduler, executor } = scheduled()
    const begun: number[] = []
    const runs: Promise<boolean>[] = []
    for (let index = 0; index < maxWaiting; index++) {
      const { task } = recorded(`request ${index}`, { maxSteps: 1 + (index % 7) })
      const begin: SequenceTask['begin'] = () => begun.push(index)
      runs.push(scheduler.run({ ...task, begin }))
    }
    while (executor.numStepsIssued() === 0) await Promise.resolve()
    for (let index = maxWaiting; ; index++) {
      try {
        scheduler.checkRoom()
      } catch (error) {
        expect(error).toMatchObject({ code: 'queue_full', details: { numWaiting: maxWaiting } })
        expect((error as { details: { retryAfterMs: number } }).details.retryAfterMs).toBeGreaterThan(0)
        break
      }
      const { task } = recorded(`request ${index}`)
      runs.push(scheduler.run({ ...task, begin: () => begun.push(index) }))
      expect(index).toBeLessThan(maxWaiting + 5)
    }
    await Promise.all(runs)
    expect(begun).toEqual(Array.from(begun, (_, index) => index))
    expect(begun.length).toBeGreaterThanOrEqual(maxWaiting)
    expect(() => scheduler.checkRoom()).not.toThrow()
  })

  test('a long prompt holds running streams up for no longer than a piece of it', async () => {
    const { scheduler, executor } = scheduled({ chunkSize: 8, chunkMs: 2, stepMs: 1 })
    const computedAt: number[] = []
    const { task: stream } = recorded('short', {
      maxSteps: 60,
      onToken: () => computedAt.push(executor.numTokensComputed()),
    })
    const running = scheduler.run(stream)
    while (computedAt.length < 5) await new Promise((resolve) => setTimeout(resolve, 1))
    const { task: long, record } = recorded('p'.repeat(300), { maxSteps: 2 })
    await Promise.all([running, scheduler.run(long)])
    expect(record.tokens).toHaveLength(2)
    const gaps = computedAt.slice(1).map((computed, index) => computed - computedAt[index]!)
    // 32 until the backend's own chunk is known, and the steps in flight.
    expect(Math.max(...gaps)).toBeLessThanOrEqual(32 + 8)
    expect(record.tokens).toEqual(await alone('p'.repeat(300), 2))
  })

  test('those that begin alike compute what they share once, side by side too', async () => {
    const { scheduler, executor } = scheduled({ stepMs: 1 })
    const system = 's'.repeat(100)
    const runs = ['a', 'b', 'c'].map((end) => recorded(`${system}${end}?`, { maxSteps: 5 }))
    await Promise.all(runs.map(({ task }) => scheduler.run(task)))
    expect(runs.map(({ record }) => record.cached)).toEqual([0, 100, 100])
    expect(executor.numTokensComputed()).toBeLessThan(150)
    for (const [index, end] of ['a', 'b', 'c'].entries()) {
      expect(runs[index]!.record.tokens).toEqual(await alone(`${system}${end}?`, 5))
    }
  })

  test('conversations that take turns keep what they hold', async () => {
    const { scheduler } = scheduled()
    const turn = async (prompt: string) => {
      const { task, record } = recorded(prompt, { maxSteps: 4 })
      await scheduler.run(task)
      return record
    }
    const texts = ['first conversation', 'second conversation', 'third']
    for (const text of texts) expect((await turn(text)).cached).toBeLessThan(8)
    for (const text of texts) expect((await turn(`${text}!`)).cached).toBe(text.length)
  })

  test('holds no more than a context’s worth for later', async () => {
    const { scheduler, executor } = scheduled({ contextLength: 64 })
    for (let index = 0; index < 20; index++) {
      const { task } = recorded(String.fromCharCode(65 + index).repeat(20), { maxSteps: 4 })
      await scheduler.run(task)
      const held = executor.sequences().reduce((sum, { length }) => sum + length, 0)
      expect(held).toBeLessThanOrEqual(64 + 4)
      expect(executor.sequences().length).toBeLessThanOrEqual(4)
    }
  })

  test('rows that must be seen, or are given, take their steps one by one beside the others', async () => {
    const { scheduler } = scheduled({ stepMs: 1 })
    const given = encode('text to score')
    const seen = recorded('seen', { feed: 'seen' })
    const scored = recorded('t', {
      feed: 'given',
      sharesPrefix: false,
      maxSteps: given.length - 1,
      row: (position) => ({ token: given[position]!, logprobsOf: [1] }),
    })
    const sampled = recorded('sampled')
    await Promise.all([seen, scored, sampled].map(({ task }) => scheduler.run(task)))
    expect(seen.record.tokens).toEqual(await alone('seen'))
    expect(sampled.record.tokens).toEqual(await alone('sampled'))
    expect(scored.record.tokens).toHaveLength(given.length - 1)
    expect(scored.record.end).toBe('length')
  })

  test('what the executor cannot do fails those that run; those that wait may go elsewhere', async () => {
    const failures: unknown[] = []
    const executor = createFakeExecutor({ lostAtStep: 8, stepMs: 1 })
    const onFailure = (error: unknown) => failures.push(error)
    const scheduler = createScheduler({ executor, lookahead: 4, onFailure })
    const results = await Promise.allSettled(
      Array.from({ length: 6 }, (_, index) => scheduler.run(recorded(`${index}`).task)),
    )
    expect(results.map(({ status }) => status)).toEqual([
      ...Array(4).fill('rejected'),
      ...Array(2).fill('fulfilled'),
    ])
    expect(results[5]).toMatchObject({ value: false })
    expect(failures).toMatchObject([{ code: 'device_lost' }])
    expect(await scheduler.run(recorded('late').task)).toBe(false)
  })

  test.each(['sampled', 'seen'] as const)(
    'an abort is the end of its %s steps: none is issued after it, and who waits has the place once those in flight are read',
    async (feed) => {
      const { scheduler, executor } = scheduled({ maxBatchSize: 1, stepMs: 2 })
      const controller = new AbortController()
      let numAtAbort = -1
      const { task, record } = recorded('first', {
        ...{ feed, maxSteps: 100, signal: controller.signal },
        onToken() {
          if (record.tokens.length !== 5) return
          // Between two turns of the scheduler, as a message of the page comes.
          setTimeout(() => {
            numAtAbort = executor.numStepsIssued()
            controller.abort()
          })
        },
      })
      const next = recorded('second', { maxSteps: 3 })
      let numAtBegin = -1
      const begin: SequenceTask['begin'] = () => {
        numAtBegin = executor.numStepsIssued()
      }
      await Promise.all([scheduler.run(task), scheduler.run({ ...next.task, begin })])
      expect(record.end).toBe('abort')
      expect(numAtAbort).toBeGreaterThan(0)
      expect(numAtBegin).toBe(numAtAbort)
      expect(next.record.tokens).toEqual(await alone('second', 3))
    },
  )

  test('1,000 aborts at random moments leave nothing behind, and those that stay are right', async () => {
    const moment = fc.record({
      afterMs: fc.integer({ min: 0, max: 12 }),
      promptLength: fc.integer({ min: 1, max: 60 }),
      feed: fc.constantFrom('sampled' as const, 'seen' as const),
      stays: fc.integer({ min: 0, max: 9 }).map((chance) => chance === 0),
    })
    const [requests] = fc.sample(fc.array(moment, { minLength: 1000, maxLength: 1000, size: 'max' }), {
      numRuns: 1,
      seed: 5,
    })
    const { scheduler, executor } = scheduled({ stepMs: 0.01, chunkSize: 8 })
    let numListeners = 0
    let numEnds = 0
    const one = async (
      { afterMs, promptLength, feed, stays }: NonNullable<typeof requests>[number],
      index: number,
    ) => {
      const controller = new AbortController()
      const { signal } = controller
      const add = signal.addEventListener.bind(signal)
      const remove = signal.removeEventListener.bind(signal)
      signal.addEventListener = ((...args: Parameters<typeof add>) => {
        numListeners++
        add(...args)
      }) as typeof add
      signal.removeEventListener = ((...args: Parameters<typeof remove>) => {
        numListeners--
        remove(...args)
      }) as typeof remove
      const prompt = String.fromCharCode(65 + (index % 3)).repeat(promptLength)
      const { task, record } = recorded(prompt, { signal, feed })
      if (!stays) setTimeout(() => controller.abort(), afterMs)
      expect(await scheduler.run(task)).toBe(true)
      if (record.end !== undefined) numEnds++
      if (stays) expect(record.tokens).toEqual(await alone(prompt))
    }
    // Some dozen at a time, so that some run, some wait and some are cut in their prompt.
    for (let start = 0; start < requests!.length; start += 50) {
      await Promise.all(requests!.slice(start, start + 50).map((request, i) => one(request, start + i)))
    }
    expect(numEnds).toBe(1000)
    expect(numListeners).toBe(0)
    expect(executor.sequences().length).toBeLessThanOrEqual(4)
    const held = executor.sequences().reduce((sum, { length }) => sum + length, 0)
    expect(held).toBeLessThanOrEqual(512)
    const { task, record } = recorded('at last')
    await scheduler.run(task)
    expect(record.tokens).toEqual(await alone('at last'))
  })
})
