import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { startHeartbeat } from './heartbeat.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const silence = () => new Promise<void>(() => {})

describe('startHeartbeat', () => {
  test('a worker that answers is left alone', async () => {
    const onSilence = vi.fn()
    const stop = startHeartbeat(async () => {}, onSilence)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(onSilence).not.toHaveBeenCalled()
    stop()
    expect(vi.getTimerCount()).toBe(0)
  })

  test('a worker that computes on its own thread may be silent for longer', async () => {
    let alive = true
    const onSilence = vi.fn()
    startHeartbeat(
      () => (alive ? Promise.resolve() : silence()),
      onSilence,
      () => 15_000,
    )
    await vi.advanceTimersByTimeAsync(1000)
    alive = false
    await vi.advanceTimersByTimeAsync(14_900)
    expect(onSilence).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(500)
    expect(onSilence).toHaveBeenCalledTimes(1)
  })

  test('silence is noticed within 2 s, once, and after no less than 1.5 s', async () => {
    let alive = true
    const onSilence = vi.fn()
    startHeartbeat(() => (alive ? Promise.resolve() : silence()), onSilence)
    await vi.advanceTimersByTimeAsync(1000)
    alive = false
    await vi.advanceTimersByTimeAsync(1500)
    expect(onSilence).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(499)
    expect(onSilence).toHaveBeenCalledTimes(1)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(onSilence).toHaveBeenCalledTimes(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('a worker that was busy for 1.5 s and then answers is well', async () => {
    const waiting: (() => void)[] = []
    let busy = false
    const ping = () => (busy ? new Promise<void>((resolve) => waiting.push(resolve)) : Promise.resolve())
    const onSilence = vi.fn()
    const stop = startHeartbeat(ping, onSilence)
    for (let round = 0; round < 5; round++) {
      await vi.advanceTimersByTimeAsync(500)
      busy = true
      await vi.advanceTimersByTimeAsync(1500)
      busy = false
      for (const answer of waiting.splice(0)) answer()
    }
    expect(onSilence).not.toHaveBeenCalled()
    stop()
  })

  test('a worker may take its time to start, but not for ever', async () => {
    const onSilence = vi.fn()
    startHeartbeat(silence, onSilence)
    await vi.advanceTimersByTimeAsync(25_000)
    expect(onSilence).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(onSilence).toHaveBeenCalledTimes(1)
  })

  test('a page that slept does not take its worker for dead', async () => {
    const onSilence = vi.fn()
    const stop = startHeartbeat(async () => {}, onSilence)
    await vi.advanceTimersByTimeAsync(1000)
    // Asleep: the clock goes on, the timers do not; on waking they run before any answer is read.
    vi.setSystemTime(Date.now() + 3_600_000)
    vi.advanceTimersByTime(150)
    await vi.advanceTimersByTimeAsync(1000)
    expect(onSilence).not.toHaveBeenCalled()
    stop()
  })
})
