import { wrap } from 'comlink'
import { afterEach, describe, expect, test } from 'vitest'
import { type BrasaError, isBrasaError } from '../errors.ts'
import type { EngineService, GenerateRequest, LoadRequest } from '../protocol.ts'
import { parseGenerationParameters } from '../sampling/parameters.ts'
import { type AnswerEvent, createEngineClient, type EngineClient } from './engine-client.ts'

const spawned: Worker[] = []
const clients: EngineClient[] = []

const spawn = () => {
  const worker = new Worker(new URL('../engine/fake-worker.ts', import.meta.url), { type: 'module' })
  spawned.push(worker)
  return worker
}

const requestOf = (model: string): LoadRequest => ({
  model,
  backend: 'reference',
  catalogueUrl: new URL('models.json', location.href).href,
  baseUrl: location.href,
})

async function createClient(model = 'fake', signal?: AbortSignal): Promise<EngineClient> {
  const client = await createEngineClient({ request: requestOf(model), spawn }, signal)
  clients.push(client)
  return client
}

const ask = (prompt: string, maxTokens = 20): GenerateRequest => ({
  input: { prompt },
  settings: parseGenerationParameters({ seed: 1, max_tokens: maxTokens }),
})

const never = new AbortController().signal

/** Far from what it takes, for machines that have other work: heartbeat.test.ts holds the deadlines themselves. */
const mostMs = 15_000

async function textOf(events: AsyncIterable<AnswerEvent>): Promise<string> {
  let text = ''
  for await (const event of events) if (event.type === 'tokens') text += event.text
  return text
}

const failure = async (promise: Promise<unknown>): Promise<BrasaError> => {
  try {
    await promise
  } catch (error) {
    if (isBrasaError(error)) return error
    throw error
  }
  throw new Error('it did not fail')
}

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.dispose()))
  for (const worker of spawned.splice(0)) worker.terminate()
})

describe('createEngineClient', () => {
  test('answers from a worker, in batches', async () => {
    const client = await createClient()
    expect(client.loaded.model.id).toBe('fake')
    const events: AnswerEvent[] = []
    for await (const event of client.generate(ask('hello', 200), never)) events.push(event)
    const tokens = events.filter((event) => event.type === 'tokens')
    expect(tokens.flatMap((event) => event.tokens)).toHaveLength(200)
    expect(tokens.length).toBeLessThan(100)
    expect(events.at(-1)).toMatchObject({ type: 'done', finishReason: 'length' })
  })

  test('an error crosses with its code, details, cause and stack', async () => {
    const error = await failure(createClient('broken'))
    expect(error.code).toBe('hash_mismatch')
    expect(error.message).toBe('Two hashes differ.')
    expect(error.details).toEqual({ expected: 'aa', found: 'bb', names: ['x', 'y'], size: 3, isLast: true })
    expect(error.cause).toBeInstanceOf(Error)
    expect(error.cause).toMatchObject({
      name: 'TypeError',
      message: 'the inner one',
      cause: 'the innermost one',
    })
    expect(error.stack).toContain('fake-worker')
  })

  test.each(['loop for ever', 'close yourself', 'fail outside of any call'])(
    'a worker told to %s is given up soon, and the next call works',
    async (prompt) => {
      const client = await createClient('slow')
      const running = failure(textOf(client.generate(ask('hello', 4000), never)))
      // Long enough for the first answer to be on its way.
      await new Promise((resolve) => setTimeout(resolve, 100))
      const start = performance.now()
      const error = await failure(textOf(client.generate(ask(prompt), never)))
      expect(performance.now() - start).toBeLessThan(mostMs)
      expect(error.code).toBe('worker_lost')
      expect(error.message).toMatch(/Ask again/)
      expect((await running).code).toBe('worker_lost')
      expect(await textOf(client.generate(ask('hello'), never))).toHaveLength(20)
      expect(spawned).toHaveLength(2)
    },
  )

  test('a worker killed in mid-answer is noticed, and every pending call rejects', async () => {
    const client = await createClient('slow')
    const answers = [1, 2, 3].map(() => failure(textOf(client.generate(ask('hello', 4000), never))))
    await new Promise((resolve) => setTimeout(resolve, 100))
    spawned[0]!.terminate()
    const start = performance.now()
    const memory = failure(client.memory())
    for (const pending of [...answers, memory]) expect((await pending).code).toBe('worker_lost')
    expect(performance.now() - start).toBeLessThan(mostMs)
    expect(await client.tokenize('ab')).toEqual(Uint32Array.of(97, 98))
    expect(await textOf(client.generate(ask('hello'), never))).toHaveLength(20)
  })

  test('a worker that died while nothing was asked is replaced without an error', async () => {
    const client = await createClient()
    spawned[0]!.terminate()
    await new Promise((resolve) => setTimeout(resolve, 4000))
    expect(await textOf(client.generate(ask('hello'), never))).toHaveLength(20)
    expect(spawned).toHaveLength(2)
  })

  test('a worker whose script does not load is an error', async () => {
    const missing = () =>
      new Worker(new URL('/there-is-no-such-worker.js', location.href), { type: 'module' })
    const error = await failure(createEngineClient({ request: requestOf('fake'), spawn: missing }))
    expect(error.code).toBe('worker_lost')
  })

  test('a signal stops an answer, and leaving the loop does too', async () => {
    const client = await createClient('slow')
    const controller = new AbortController()
    const events: AnswerEvent[] = []
    for await (const event of client.generate(ask('hello', 4000), controller.signal)) {
      events.push(event)
      if (event.type === 'tokens') controller.abort()
    }
    expect(events.at(-1)).toMatchObject({ type: 'done', finishReason: 'abort' })
    for await (const event of client.generate(ask('hello', 4000), never)) if (event.type === 'tokens') break
    // Were the last one still running, this would wait for 4,000 tokens of 30 ms.
    const start = performance.now()
    expect(await textOf(client.generate(ask('other', 5), never))).toHaveLength(5)
    expect(performance.now() - start).toBeLessThan(mostMs)
  })

  test('a stream that was left is forgotten by the worker too', async () => {
    const client = await createClient('slow')
    for await (const event of client.generate(ask('hello', 4000), never)) if (event.type === 'tokens') break
    await textOf(client.generate(ask('other', 5), never))
    // The load was the first stream.
    const { next } = wrap<EngineService>(spawned[0]!)
    for (const stream of [2, 3]) await expect(next(stream)).rejects.toThrow(`There is no stream ${stream}.`)
  })

  test('a signal stops a load and ends its worker', async () => {
    const controller = new AbortController()
    const loading = failure(createClient('slow to load', controller.signal))
    setTimeout(() => controller.abort(), 100)
    expect((await loading).code).toBe('aborted')
    expect((await failure(createClient('fake', AbortSignal.abort()))).code).toBe('aborted')
  })

  test('a load that does not hear the signal is ended', async () => {
    const controller = new AbortController()
    const loading = failure(createClient('deaf', controller.signal))
    setTimeout(() => controller.abort(), 100)
    const start = performance.now()
    expect((await loading).code).toBe('aborted')
    expect(performance.now() - start).toBeLessThan(mostMs)
  })

  test('scores anew where the GPU was lost once, and stops when the signal says so', async () => {
    const client = await createClient('loses its GPU at once, but once')
    const { tokens, scores } = await client.score({ input: { text: 'abc' }, topLogprobs: 0 }, never)
    expect(tokens).toEqual(Uint32Array.of(97, 98, 99))
    expect(scores.map(({ tokenId }) => tokenId)).toEqual([98, 99])
    const controller = new AbortController()
    const long = { input: { text: 'x'.repeat(4000) }, topLogprobs: 0 }
    const error = await failure(client.score(long, controller.signal, () => controller.abort()))
    expect(error.code).toBe('aborted')
  })

  test('a GPU lost before the first token is nobody’s error', async () => {
    const client = await createClient('loses its GPU at once, but once')
    expect(await textOf(client.generate(ask('hello'), never))).toHaveLength(20)
    expect(spawned).toHaveLength(1)
  })

  test('a GPU that is lost again is reported, not tried for ever', async () => {
    const client = await createClient('loses its GPU at once')
    const error = await failure(textOf(client.generate(ask('hello'), never)))
    expect(error.code).toBe('device_lost')
  })

  test('what was disposed of says so, calls that wait included', async () => {
    const client = await createClient('slow')
    const running = failure(textOf(client.generate(ask('hello', 4000), never)))
    await new Promise((resolve) => setTimeout(resolve, 100))
    await client.dispose()
    expect((await running).code).toBe('disposed')
    expect((await failure(client.tokenize('hello'))).code).toBe('disposed')
    await client.dispose()
  })
})
