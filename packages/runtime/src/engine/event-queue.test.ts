import { afterEach, describe, expect, test, vi } from 'vitest'
import type { EngineEvent } from '../protocol.ts'
import { createEventQueue } from './event-queue.ts'

const token = (text: string, id: number): EngineEvent => ({
  type: 'tokens',
  thought: '',
  text,
  tokens: [id],
  logprobs: [],
})

describe('createEventQueue', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  test('delivers the first event at once and merges tokens that arrive within the interval', async () => {
    vi.useFakeTimers()
    const queue = createEventQueue(50)
    const first = queue.next()
    queue.push(token('a', 1))
    // No time passes: whatever waits for a timer never ends.
    expect(await first).toEqual([token('a', 1)])
    const delivered = vi.fn()
    const second = queue.next().then((events) => {
      delivered()
      return events
    })
    queue.push(token('b', 2))
    await vi.advanceTimersByTimeAsync(49)
    expect(delivered).not.toHaveBeenCalled()
    queue.push(token('c', 3))
    await vi.advanceTimersByTimeAsync(1)
    expect(await second).toEqual([{ type: 'tokens', thought: '', text: 'bc', tokens: [2, 3], logprobs: [] }])
  })

  test('no event before it delays the first token', async () => {
    const queue = createEventQueue(10_000)
    queue.push({ type: 'accepted' })
    expect(await queue.next()).toHaveLength(1)
    queue.push(token('a', 1))
    expect(await queue.next()).toEqual([token('a', 1)])
  })

  test('delivers what was pushed before the end, then nothing, without waiting', async () => {
    const queue = createEventQueue(10_000)
    queue.push(token('a', 1))
    expect(await queue.next()).toHaveLength(1)
    queue.push(token('b', 2))
    const pending = queue.next()
    queue.close()
    expect(await pending).toHaveLength(1)
    expect(await queue.next()).toEqual([])
  })

  test('an error comes after the events before it, and stays', async () => {
    const queue = createEventQueue()
    queue.push(token('a', 1))
    queue.fail(new Error('broken'))
    queue.push(token('late', 2))
    expect(await queue.next()).toEqual([token('a', 1)])
    await expect(queue.next()).rejects.toThrow('broken')
    await expect(queue.next()).rejects.toThrow('broken')
  })
})
