// engine.fetch on the real service, scheduler and wire, with an executor that only counts.

import { expose } from 'comlink'
import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createEngineClient } from '../../client/engine-client.ts'
import type { OnnxClient } from '../../client/onnx-client.ts'
import { createFakeExecutor, type FakeExecutorOptions } from '../../engine/fake-executor.ts'
import { createFakeModel } from '../../engine/fake-model.ts'
import { maxWaiting } from '../../engine/scheduler.ts'
import { createEngineService } from '../../engine/service.ts'
import type { EngineService, LoadRequest } from '../../protocol.ts'
import { engineOf } from '../engine.ts'
import type { ChatCompletion, Engine } from '../types.ts'

const place = { catalogueUrl: 'https://example.org/models.json', baseUrl: 'https://example.org/' }
const request: LoadRequest = { model: 'fake', backend: 'reference', ...place }
const opened: Engine[] = []
afterEach(async () => {
  await Promise.all(opened.splice(0).map((engine) => engine.dispose()))
})

/** An engine whose worker is in this thread. */
async function serve(options: FakeExecutorOptions = {}) {
  const executor = createFakeExecutor({ contextLength: 512, ...options })
  const constraints = { made: 0, freed: 0 }
  const constrain = async () => {
    constraints.made++
    // Letters only.
    const mask = new Uint32Array(0x10000 / 32)
    mask[3] = 0b111_1111_1111_1111_1111_1111_1110
    return { allowed: () => mask, accept() {}, free: () => void constraints.freed++ }
  }
  const service = createEngineService(async () => ({ ...createFakeModel({}, executor), constrain }))
  const streams: number[] = []
  const counted: EngineService = {
    ...service,
    generate(stream, asked) {
      streams.push(stream)
      return service.generate(stream, asked)
    },
  }
  const spawn = () => {
    const { port1, port2 } = new MessageChannel()
    expose(counted, port2)
    return Object.assign(port1, { terminate: () => port1.close() }) as unknown as Worker
  }
  const client = await createEngineClient({ request, spawn })
  const onnx = { dispose: async () => {} } as OnnxClient
  const engine = engineOf(client, onnx, place)
  opened.push(engine)
  return { engine, executor, constraints, streams, service }
}

type Served = Awaited<ReturnType<typeof serve>>

const ask = ({ engine }: Served, content: string, more: object = {}, signal?: AbortSignal) =>
  engine.fetch('/v1/chat/completions', {
    method: 'POST',
    body: JSON.stringify({ messages: [{ role: 'user', content }], seed: 1, max_tokens: 10, ...more }),
    ...(signal && { signal }),
  })
const textsOf = async (response: Response) =>
  ((await response.json()) as ChatCompletion).choices.map(({ message }) => message.content)

/** What is left once nobody is answered any more: no stream, no constraint, and of sequences what is kept for the next turn. */
async function expectNothingLeft({ engine, executor, constraints, streams, service }: Served) {
  const metrics = async () => (await engine.fetch('/metrics')).text()
  await expect.poll(metrics, { timeout: 10_000 }).toMatch(/waiting 0\n(.*\n)*.*running 0\n/)
  // A stream that is still open is not told from here: its next events would come.
  const isForgotten = (stream: number) =>
    Promise.race([
      service.next(stream).then(
        () => false,
        (error: Error) => /no stream/.test(error.message),
      ),
      new Promise((resolve) => setTimeout(resolve, 200, false)),
    ])
  await expect
    .poll(async () => (await Promise.all(streams.map(isForgotten))).every(Boolean), { timeout: 10_000 })
    .toBe(true)
  expect(constraints.freed).toBe(constraints.made)
  expect(executor.sequences().length).toBeLessThanOrEqual(executor.maxBatchSize)
  const heldTokens = executor.sequences().reduce((sum, { length }) => sum + length, 0)
  expect(heldTokens).toBeLessThanOrEqual(executor.contextLength)
}

describe('engine.fetch on the service', () => {
  test('64 that wait all finish, in the order they came; one more is a 429 that says when to come again', async () => {
    const served = await serve({ maxBatchSize: 1, stepMs: 2 })
    const finished: number[] = []
    const asked: Promise<Response>[] = []
    const queue = (index: number) => {
      const response = ask(served, `request ${index}`, { max_tokens: 1 + (index % 4) })
      asked.push(response)
      response.then(
        () => finished.push(index),
        () => {},
      )
    }
    queue(0)
    await expect.poll(() => served.executor.numStepsIssued()).toBeGreaterThan(0)
    // One may be done by now, and its place is the next one's.
    for (let index = 1; index <= maxWaiting; index++) queue(index)
    const refused = await Promise.all(Array.from({ length: 5 }, () => ask(served, 'too many')))
    expect(refused.map(({ status }) => status)).toContain(429)
    const { headers } = refused.find(({ status }) => status === 429)!
    expect(headers.get('retry-after')).toMatch(/^[1-9]\d*$/)
    const responses = await Promise.all(asked)
    expect(responses.map(({ status }) => status)).toEqual(Array(maxWaiting + 1).fill(200))
    expect(finished).toEqual(Array.from(finished, (_, index) => index))
    expect(finished).toHaveLength(maxWaiting + 1)
    await expectNothingLeft(served)
  })

  test('one that nobody reads stalls only itself', async () => {
    const served = await serve({ stepMs: 1 })
    const slow = await ask(served, 'slow', { stream: true, max_tokens: 100 })
    const others = await Promise.all(['one', 'two', 'three'].map((content) => ask(served, content)))
    for (const response of others) expect((await textsOf(response))[0]).toHaveLength(10)
    // Its tokens were not waited for, and none is lost.
    const events = (await slow.text()).split('\n\n').filter((event) => event.startsWith('data: {'))
    const text = events.map((event) => JSON.parse(event.slice(6)).choices[0]?.delta.content ?? '').join('')
    const [whole] = await textsOf(await ask(await serve(), 'slow', { max_tokens: 100 }))
    expect(text).toBe(whole)
    await expectNothingLeft(served)
  })

  test('n answers share their prompt and their steps', async () => {
    const served = await serve()
    const prompt = 'p'.repeat(41)
    const response = await ask(served, prompt, { n: 4, max_tokens: 10 })
    const { choices, usage } = (await response.json()) as ChatCompletion
    expect(new Set(choices.map(({ message }) => message.content)).size).toBe(4)
    expect(usage).toMatchObject({ prompt_tokens: 41, completion_tokens: 40 })
    // The prompt but for its last token once, then a token for each step of each answer.
    expect(served.executor.numTokensComputed()).toBe(40 + 4 * 10)
    expect(served.executor.numStepsIssued()).toBeLessThan(20)
  })

  test('1,000 requests left at random moments leave nothing behind, and those that stay are right', async () => {
    const moment = fc.record({
      way: fc.constantFrom('abort', 'cancel', 'leave whole', 'stay', 'abort', 'cancel'),
      afterMs: fc.integer({ min: 0, max: 12 }),
      numReads: fc.integer({ min: 0, max: 4 }),
      prompt: fc.integer({ min: 0, max: 11 }),
      n: fc.constantFrom(1, 1, 2),
      isFormatted: fc.boolean(),
    })
    const [moments] = fc.sample(fc.array(moment, { minLength: 1000, maxLength: 1000, size: 'max' }), {
      numRuns: 1,
      seed: 6,
    })
    const served = await serve({ stepMs: 0.01, chunkSize: 8 })
    const alone = await serve()
    const contentOf = (prompt: number) => String.fromCharCode(65 + (prompt % 3)).repeat(1 + 5 * prompt)
    const answers = new Map<string, Promise<readonly (string | null)[]>>()
    const numBy = { stay: 0, left: 0 }
    const one = async ({ way, afterMs, numReads, prompt, n, isFormatted }: (typeof moments & {})[number]) => {
      const controller = new AbortController()
      const more = { n, ...(isFormatted && { response_format: { type: 'json_object' } }) }
      const isWhole = way === 'stay' || way === 'leave whole'
      const asked = ask(served, contentOf(prompt), { ...more, stream: !isWhole }, controller.signal)
      if (way === 'stay') {
        const texts = await textsOf(await asked)
        numBy.stay++
        const key = `${prompt} ${n} ${isFormatted}`
        const expected = answers.get(key) ?? textsOf(await ask(alone, contentOf(prompt), more))
        answers.set(key, expected)
        return expect(texts).toEqual(await expected)
      }
      numBy.left++
      if (way !== 'cancel') setTimeout(() => controller.abort(), afterMs)
      try {
        const response = await asked
        expect(response.status).toBe(200)
        if (way !== 'cancel') return void (await response.text())
        const reader = response.body!.getReader()
        for (let read = 0; read < numReads; read++) await reader.read()
        await reader.cancel()
      } catch (error) {
        expect(error).toMatchObject({ name: 'AbortError' })
      }
    }
    // Some dozen at a time, so that some run, some wait and some are cut in their prompt.
    for (let start = 0; start < 1000; start += 30)
      await Promise.all(moments!.slice(start, start + 30).map(one))
    expect(numBy.stay).toBeGreaterThan(100)
    expect(numBy.left).toBeGreaterThan(700)
    await expectNothingLeft(served)
    expect(served.constraints.made).toBeGreaterThan(200)
    expect(await textsOf(await ask(served, 'at last'))).toEqual(await textsOf(await ask(alone, 'at last')))
  }, 60_000)

  test('a signal that many requests share has no listener left when they are done', async () => {
    const { engine } = await serve({ stepMs: 0.01 })
    const { signal } = new AbortController()
    const added = vi.spyOn(signal, 'addEventListener')
    const removed = vi.spyOn(signal, 'removeEventListener')
    const messages = [{ role: 'user' as const, content: 'Hi' }]
    await Promise.all(
      Array.from({ length: 9 }, async (_, index) => {
        if (index % 3 === 0) return engine.chat.completions.create({ messages, max_tokens: 3 }, { signal })
        const stream = await engine.chat.completions.create(
          { messages, max_tokens: 9, stream: true },
          { signal },
        )
        for await (const _ of stream) if (index % 3 === 1) break
      }),
    )
    const left = new Set(added.mock.calls.map(([, listener]) => listener))
    expect(left.size).toBeGreaterThan(0)
    for (const [, listener] of removed.mock.calls) left.delete(listener)
    expect(left.size).toBe(0)
  })
})
