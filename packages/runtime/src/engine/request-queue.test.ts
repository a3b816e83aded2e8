import { describe, expect, test } from 'vitest'
import { createRequestQueue } from './request-queue.ts'

const never = new AbortController().signal

describe('createRequestQueue', () => {
  test('runs one task at a time, in order', async () => {
    const queue = createRequestQueue()
    const log: string[] = []
    const task = (name: string, ms: number) => async () => {
      log.push(`${name} starts`)
      await new Promise((resolve) => setTimeout(resolve, ms))
      log.push(`${name} ends`)
    }
    await Promise.all([queue.run(task('a', 20), never), queue.run(task('b', 1), never)])
    expect(log).toEqual(['a starts', 'a ends', 'b starts', 'b ends'])
  })

  test('a failed task does not stop the next one', async () => {
    const queue = createRequestQueue()
    const failing = queue.run(() => Promise.reject(new Error('broken')), never)
    const next = queue.run(async () => 'well', never)
    await expect(failing).rejects.toThrow('broken')
    expect(await next).toBe('well')
  })

  test('a task aborted while it waits leaves the queue at once and never runs', async () => {
    const queue = createRequestQueue()
    let endFirst = () => {}
    const first = queue.run(() => new Promise<void>((resolve) => (endFirst = resolve)), never)
    const controller = new AbortController()
    let ran = false
    const second = queue.run(async () => {
      ran = true
    }, controller.signal)
    controller.abort()
    expect(await second).toBeUndefined()
    endFirst()
    await first
    expect(await queue.run(async () => 'third', never)).toBe('third')
    expect(ran).toBe(false)
  })
})
