import { describe, expect, test, vi } from 'vitest'
import { BrasaError } from '../errors.ts'
import type { EngineEvent, EngineService, LoadRequest } from '../protocol.ts'
import { parseGenerationParameters } from '../sampling/parameters.ts'
import type { FakeExecutorOptions } from './fake-executor.ts'
import { createFakeModel } from './fake-model.ts'
import type { LoadModel } from './model.ts'
import { maxWaiting } from './scheduler.ts'
import { createEngineService } from './service.ts'

const loadRequest: LoadRequest = {
  model: 'fake',
  backend: 'reference',
  catalogueUrl: 'https://example.org/models.json',
  baseUrl: 'https://example.org/',
}

/** Each load takes the next of `generations`, the last one again and again. */
function loader(...generations: FakeExecutorOptions[]) {
  const calls: LoadRequest[] = []
  const load: LoadModel = async (request, { onProgress, signal }) => {
    calls.push(request)
    onProgress({ phase: 'ready', loadedBytes: 1, totalBytes: 1, cachedBytes: 1 })
    await new Promise((resolve) => setTimeout(resolve, 5))
    if (signal.aborted) throw new BrasaError('aborted', { message: 'Stopped.' })
    return createFakeModel(generations[Math.min(calls.length, generations.length) - 1])
  }
  return { load, calls }
}

async function read(service: EngineService, stream: number): Promise<EngineEvent[]> {
  const events: EngineEvent[] = []
  for (;;) {
    const batch = await service.next(stream)
    if (batch.length === 0) return events
    events.push(...batch)
  }
}

const ask = (prompt: string, parameters: Record<string, unknown> = {}) => ({
  input: { prompt },
  settings: parseGenerationParameters({ seed: 1, max_tokens: 8, ...parameters }),
})

async function started(...generations: FakeExecutorOptions[]) {
  const { load, calls } = loader(...generations)
  const service = createEngineService(load)
  service.load(1, loadRequest)
  const events = await read(service, 1)
  return { service, calls, events }
}

const textOf = (events: readonly EngineEvent[]) =>
  events.map((event) => (event.type === 'tokens' ? event.text : '')).join('')
const typesOf = (events: readonly EngineEvent[]) => [...new Set(events.map(({ type }) => type))]

describe('createEngineService', () => {
  test('loads, then answers', async () => {
    const { service, events } = await started({})
    expect(typesOf(events)).toEqual(['progress', 'loaded'])
    service.generate(2, ask('hello'))
    const answer = await read(service, 2)
    expect(typesOf(answer)).toEqual(['accepted', 'tokens', 'done'])
    expect(textOf(answer)).toHaveLength(8)
  })

  test('answers requests in the order they came, each as if it were alone', async () => {
    const { service } = await started({ stepMs: 1 })
    const prompts = ['first', 'second', 'first and more']
    prompts.forEach((prompt, index) => {
      service.generate(10 + index, ask(prompt))
    })
    const order: string[] = []
    const answers = await Promise.all(
      prompts.map(async (prompt, index) => {
        const events = await read(service, 10 + index)
        order.push(prompt)
        return textOf(events)
      }),
    )
    expect(order).toEqual(prompts)
    for (const [index, prompt] of prompts.entries()) {
      const alone = await started({})
      alone.service.generate(2, ask(prompt))
      expect(answers[index]).toBe(textOf(await read(alone.service, 2)))
    }
  })

  test('a request aborted in the queue is done at once and those behind it go on', async () => {
    const { service } = await started({ stepMs: 20 })
    service.generate(2, ask('first'))
    service.generate(3, ask('second'))
    service.generate(4, ask('third'))
    setTimeout(() => service.abort(3), 10)
    const order: string[] = []
    const first = read(service, 2).then(() => order.push('first'))
    expect((await read(service, 3)).at(-1)).toMatchObject({ type: 'done', finishReason: 'abort' })
    order.push('aborted')
    await first
    expect(order).toEqual(['aborted', 'first'])
    expect(textOf(await read(service, 4))).toHaveLength(8)
  })

  test('an abort is answered before the steps in flight are done', async () => {
    const stepMs = 500
    const { service } = await started({ stepMs })
    service.generate(2, ask('hello'))
    await service.next(2)
    await service.next(2)
    service.abort(2)
    const start = performance.now()
    expect((await read(service, 2)).at(-1)).toMatchObject({ type: 'done', finishReason: 'abort' })
    expect(performance.now() - start).toBeLessThan(stepMs)
    service.generate(3, ask('hello again', { max_tokens: 1 }))
    expect(textOf(await read(service, 3))).toHaveLength(1)
  })

  test('a prompt that does not fit is refused before it waits', async () => {
    const { service } = await started({ contextLength: 8, stepMs: 50 })
    service.generate(2, ask('hello'))
    service.generate(3, ask('much too long'))
    await expect(read(service, 3)).rejects.toMatchObject({
      code: 'context_length_exceeded',
      details: { numTokens: 13, contextLength: 8 },
    })
    expect(textOf(await read(service, 2))).toHaveLength(4)
  })

  test('a device lost in mid-answer is an error to its caller; the next call loads the model again', async () => {
    const { service, calls } = await started({ lostAtStep: 5 }, {})
    service.generate(2, ask('hello'))
    await expect(read(service, 2)).rejects.toMatchObject({ code: 'device_lost' })
    service.generate(3, ask('hello'))
    const answer = await read(service, 3)
    expect(typesOf(answer)).toEqual(['progress', 'loaded', 'accepted', 'tokens', 'done'])
    expect(textOf(answer)).toHaveLength(8)
    expect(calls).toEqual([loadRequest, loadRequest])
  })

  test('an answer that another worker began goes on without a seam', async () => {
    const { service } = await started({})
    service.generate(2, ask('hello'))
    const whole = await read(service, 2)
    const answered = whole.flatMap((event) => (event.type === 'tokens' ? event.tokens : [])).slice(0, 3)
    const { service: next } = await started({})
    next.generate(2, { ...ask('hello'), answered: [{ tokens: answered, isDone: false }] })
    const rest = await read(next, 2)
    expect(textOf(rest)).toBe(textOf(whole).slice(3))
    expect(rest.at(-1)).toMatchObject({ usage: { prompt_tokens: 5, completion_tokens: 8 } })
  })

  test('an aborted load fails with aborted, and can be tried again', async () => {
    const { load } = loader({})
    const service = createEngineService(load)
    service.load(1, loadRequest)
    service.abort(1)
    await expect(read(service, 1)).rejects.toMatchObject({ code: 'aborted' })
    service.load(2, loadRequest)
    expect(typesOf(await read(service, 2))).toEqual(['progress', 'loaded'])
  })

  test('what was disposed of says so', async () => {
    const { service } = await started({ stepMs: 20 })
    service.generate(2, ask('hello'))
    await service.next(2)
    await service.dispose()
    await expect(service.tokenize('hello')).rejects.toMatchObject({ code: 'disposed' })
    service.generate(3, ask('hello'))
    await expect(read(service, 3)).rejects.toMatchObject({ code: 'disposed' })
  })

  describe('several answers to one prompt', () => {
    const askSeveral = (numAnswers: number, seed = 1) => {
      const { input, settings } = ask('hello', { seed })
      return { input, settings: { ...settings, numAnswers } }
    }
    const textsOf = (events: readonly EngineEvent[], numAnswers: number) =>
      Array.from({ length: numAnswers }, (_, index) =>
        textOf(events.filter((event) => event.type === 'tokens' && event.answer === index)),
      )

    test('have seeds of their own, one prompt, and an end each', async () => {
      const { service } = await started({})
      service.generate(2, askSeveral(6))
      const events = await read(service, 2)
      const dones = events.flatMap((event) => (event.type === 'done' ? [event] : []))
      expect(dones.map(({ answer }) => answer).sort()).toEqual([0, 1, 2, 3, 4, 5])
      expect(dones.at(-1)!.usage).toEqual({
        prompt_tokens: 5,
        completion_tokens: 48,
        total_tokens: 53,
        prompt_tokens_details: { cached_tokens: 0 },
      })
      for (const [index, text] of textsOf(events, 6).entries()) {
        const alone = await started({})
        alone.service.generate(2, ask('hello', { seed: 1 + index }))
        expect(text).toBe(textOf(await read(alone.service, 2)))
      }
    })

    test('go on where another worker left them, those that are done told no more', async () => {
      const { service } = await started({})
      service.generate(2, askSeveral(3))
      const whole = await read(service, 2)
      const texts = textsOf(whole, 3)
      const answered = texts.map((text, index) => ({
        tokens: Array.from(index === 1 ? text : text.slice(0, index), (letter) => letter.charCodeAt(0)),
        isDone: index === 1,
      }))
      const { service: next } = await started({})
      next.generate(2, { ...askSeveral(3), answered })
      const rest = await read(next, 2)
      expect(textsOf(rest, 3)).toEqual([texts[0], '', texts[2]!.slice(2)])
      expect(rest.filter(({ type }) => type === 'done')).toHaveLength(2)
      expect(rest.at(-1)).toMatchObject({ usage: { completion_tokens: 24 } })
    })

    test('stop together', async () => {
      const { service } = await started({ stepMs: 20 })
      service.generate(2, askSeveral(6))
      await service.next(2)
      await service.next(2)
      service.abort(2)
      const dones = (await read(service, 2)).flatMap((event) => (event.type === 'done' ? [event] : []))
      expect(dones.map(({ finishReason }) => finishReason)).toEqual(Array(6).fill('abort'))
    })
  })

  test('gives each answer a constraint of its own, and gives all back whatever happens', async () => {
    const free = vi.fn()
    const constrain = vi.fn(async () => {
      if (constrain.mock.calls.length === 5) throw new BrasaError('invalid_request', { message: 'No.' })
      return { allowed: () => undefined, accept() {}, free }
    })
    const service = createEngineService(async () => ({ ...createFakeModel(), constrain }))
    service.load(1, loadRequest)
    await read(service, 1)
    const { input, settings } = ask('hello')
    const format = { type: 'json_object' } as const
    service.generate(2, { input, settings: { ...settings, numAnswers: 3, format } })
    expect((await read(service, 2)).filter(({ type }) => type === 'done')).toHaveLength(3)
    expect([constrain.mock.calls.length, free.mock.calls.length]).toEqual([3, 3])
    service.generate(3, { input, settings: { ...settings, numAnswers: 3, format } })
    await expect(read(service, 3)).rejects.toMatchObject({ code: 'invalid_request' })
    expect([constrain.mock.calls.length, free.mock.calls.length]).toEqual([5, 4])
  })

  test('refuses at once what comes when too many wait', async () => {
    const { service } = await started({ stepMs: 2 })
    const streams = Array.from({ length: maxWaiting + 10 }, (_, index) => 10 + index)
    for (const stream of streams) service.generate(stream, ask(`request ${stream}`, { max_tokens: 2 }))
    const outcomes = await Promise.allSettled(streams.map((stream) => read(service, stream)))
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
    expect(refused.length).toBeGreaterThan(0)
    expect(refused.length).toBeLessThanOrEqual(10)
    for (const error of refused) {
      expect(error).toMatchObject({ code: 'queue_full', details: { retryAfterMs: expect.any(Number) } })
    }
    service.generate(2, ask('hello'))
    expect(textOf(await read(service, 2))).toHaveLength(8)
  })

  test('answers that ran when the device was lost fail; one that waited runs on the model loaded anew', async () => {
    const { service, calls } = await started({ lostAtStep: 5, stepMs: 1 }, {})
    const streams = [2, 3, 4, 5, 6]
    for (const stream of streams) service.generate(stream, ask(`request ${stream}`))
    const outcomes = await Promise.allSettled(streams.map((stream) => read(service, stream)))
    expect(outcomes.slice(0, 4).map(({ status }) => status)).toEqual(Array(4).fill('rejected'))
    const last = outcomes[4]!
    expect(last.status === 'fulfilled' && textOf(last.value)).toHaveLength(8)
    expect(last.status === 'fulfilled' && typesOf(last.value)).toContain('loaded')
    expect(calls).toHaveLength(2)
  })

  test('who is told of a model loaded anew is the next that has a stream', async () => {
    const { service } = await started({ lostAtStep: 0 }, {})
    service.generate(2, ask('hello'))
    await expect(read(service, 2)).rejects.toMatchObject({ code: 'device_lost' })
    await service.memory()
    service.generate(3, ask('hello'))
    expect(typesOf(await read(service, 3))).toEqual(['loaded', 'accepted', 'tokens', 'done'])
    service.generate(4, ask('hello'))
    expect(typesOf(await read(service, 4))).toEqual(['accepted', 'tokens', 'done'])
  })

  describe('scoring', () => {
    const scoresOf = (events: readonly EngineEvent[]) =>
      events.flatMap((event) => (event.type === 'scored' ? event.scores : []))

    test('gives every position its score, and tells the tokens first', async () => {
      const { service } = await started({ next: () => 98 })
      service.score(2, { input: { text: 'abcd' }, logprobsOf: [[98, 99], [], [100]], topLogprobs: 2 })
      const events = await read(service, 2)
      expect(events[0]).toEqual({ type: 'tokenized', tokens: Uint32Array.of(97, 98, 99, 100) })
      expect(scoresOf(events).map(({ tokenId, logprob }) => [tokenId, logprob])).toEqual([
        [98, -1],
        [99, -2],
        [100, -3],
      ])
      expect(scoresOf(events).map(({ logprobs }) => logprobs)).toEqual([[-1, -2], [], [-3]])
      expect(scoresOf(events)[1]!.topLogprobs).toEqual([
        { tokenId: 98, logprob: -1 },
        { tokenId: 99, logprob: -2 },
      ])
    })

    test('leaves what a conversation has cached', async () => {
      const { service } = await started({})
      const cachedBy = async (stream: number) => {
        service.generate(stream, ask('hello'))
        const done = (await read(service, stream)).find((event) => event.type === 'done')
        return done?.type === 'done' && done.usage.prompt_tokens_details.cached_tokens
      }
      expect(await cachedBy(2)).toBe(0)
      service.score(3, { input: { tokens: Uint32Array.from({ length: 50 }, (_, i) => i) }, topLogprobs: 0 })
      expect(scoresOf(await read(service, 3))).toHaveLength(49)
      expect(await cachedBy(4)).toBe(4)
    })

    test('stops when it is told to, and then answers', async () => {
      const { service } = await started({ stepMs: 5 })
      service.score(2, { input: { text: 'x'.repeat(60) }, topLogprobs: 0 })
      await service.next(2)
      service.abort(2)
      await expect(read(service, 2)).rejects.toMatchObject({ code: 'aborted' })
      service.generate(3, ask('hello'))
      expect(textOf(await read(service, 3))).toHaveLength(8)
    })

    test('scores as many tokens as the context holds and one, and keeps the model after a refusal', async () => {
      const { service, calls } = await started({ contextLength: 8 })
      const refused = async (stream: number, text: string, logprobsOf?: number[][]) => {
        service.score(stream, { input: { text }, topLogprobs: 0, ...(logprobsOf && { logprobsOf }) })
        return expect(read(service, stream)).rejects
      }
      await (await refused(2, '0123456789')).toMatchObject({ code: 'context_length_exceeded' })
      await (await refused(3, '0')).toMatchObject({ code: 'invalid_request' })
      await (await refused(4, 'abc', [[1]])).toMatchObject({ code: 'invalid_request' })
      await (await refused(5, 'abc', [[1], [0x10000]])).toMatchObject({ code: 'invalid_request' })
      service.score(6, { input: { text: '012345678' }, topLogprobs: 0 })
      expect(scoresOf(await read(service, 6))).toHaveLength(8)
      expect(calls).toHaveLength(1)
    })

    test('says that the device was lost, and scores with the model loaded anew', async () => {
      const { service } = await started({ lostAtStep: 3 }, {})
      service.score(2, { input: { text: 'hello' }, topLogprobs: 0 })
      await expect(read(service, 2)).rejects.toMatchObject({ code: 'device_lost' })
      service.score(3, { input: { text: 'hello' }, topLogprobs: 0 })
      expect(scoresOf(await read(service, 3))).toHaveLength(4)
    })
  })

  test('tokenizes, and reports memory and counters', async () => {
    const { service } = await started({})
    expect(await service.tokenize('ab')).toEqual(Uint32Array.of(97, 98))
    expect(await service.memory()).toEqual({ weightBytes: 1, kvCacheBytes: 2, otherBytes: 3 })
    expect(await service.counters()).toMatchObject({ submits: 0 })
  })
})
