import { afterEach, expect, test, vi } from 'vitest'
import { asWork, asWorkingFetch, beginWork, isBusy } from './running.ts'

afterEach(() => vi.useRealTimers())

test('the page is busy until the last work has ended, and an end counts once', async () => {
  const [first, second] = [beginWork(), beginWork()]
  first()
  first()
  expect(isBusy.value).toBe(true)
  second()
  expect(isBusy.value).toBe(false)
  await expect(asWork(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(isBusy.value).toBe(false)
})

/** A body that goes on as long as it is read. */
const endless = () =>
  new Response(new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array([1])) }), {
    status: 201,
    headers: { 'x-request-id': 'a' },
  })

test('a request counts until its body is read to the end, with the reply unchanged', async () => {
  const fetch = asWorkingFetch(async () => new Response('words', { status: 201, headers: { x: 'y' } }))
  const response = await fetch(new Request('https://x.test/'))
  expect([response.status, response.headers.get('x'), isBusy.value]).toEqual([201, 'y', true])
  expect(await response.text()).toBe('words')
  expect(isBusy.value).toBe(false)
})

test('a request counts no longer once it fails, has no body, or is given up', async () => {
  const request = new Request('https://x.test/')
  await expect(asWorkingFetch(() => Promise.reject(new Error('no')))(request)).rejects.toThrow('no')
  await asWorkingFetch(async () => new Response(null, { status: 204 }))(request)
  expect(isBusy.value).toBe(false)
  const reader = (await asWorkingFetch(async () => endless())(request)).body!.getReader()
  await reader.read()
  expect(isBusy.value).toBe(true)
  await reader.cancel()
  expect(isBusy.value).toBe(false)
})

test('who stops reading without a word keeps the page busy for a minute and not for ever', async () => {
  vi.useFakeTimers()
  const reader = (
    await asWorkingFetch(async () => endless())(new Request('https://x.test/'))
  ).body!.getReader()
  await reader.read()
  await vi.advanceTimersByTimeAsync(59_000)
  expect(isBusy.value).toBe(true)
  await vi.advanceTimersByTimeAsync(2000)
  expect(isBusy.value).toBe(false)
})
