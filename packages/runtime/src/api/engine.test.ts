import { describe, expect, test } from 'vitest'
import type { EngineClient } from '../client/engine-client.ts'
import { createOnnxClient } from '../client/onnx-client.ts'
import { isBrasaError } from '../errors.ts'
import type { EngineEvent, GenerateRequest } from '../protocol.ts'
import { createEngine, engineOf } from './engine.ts'
import type { ChatCompletionRequest, CompletionRequest, EngineOptions } from './types.ts'

const usage = {
  prompt_tokens: 3,
  completion_tokens: 2,
  total_tokens: 5,
  prompt_tokens_details: { cached_tokens: 1 },
}
const timings = { ttftMs: 1, prefillTokensPerSecond: 2, decodeTokensPerSecond: 3 }
const logprob = { tokenId: 7, token: 'Hel', logprob: -0.5, top_logprobs: [] }

/** A client whose every answer is "Hello", and that stops when it is told to. */
function fakeClient() {
  const requests: GenerateRequest[] = []
  const state = { left: false }
  const client = {
    loaded: { model: { id: 'fake' }, device: { backend: 'reference' } },
    tokenBytes: async (tokens: Uint32Array) => Array.from(tokens, () => new TextEncoder().encode('Hel')),
    async *generate(request: GenerateRequest, signal: AbortSignal): AsyncGenerator<EngineEvent, void> {
      requests.push(request)
      const done = (finishReason: 'stop' | 'abort'): EngineEvent => ({
        type: 'done',
        finishReason,
        usage,
        timings,
      })
      const wanted = request.settings.topLogprobs > 0
      try {
        yield { type: 'accepted' }
        for (const [index, text] of ['Hel', 'lo', ''].entries()) {
          if (signal.aborted) return yield done('abort')
          const logprobs = wanted ? [logprob] : []
          yield { type: 'tokens', thought: '', text, tokens: [index], logprobs }
        }
        yield done('stop')
      } finally {
        state.left = true
      }
    },
  } as unknown as EngineClient
  const place = { catalogueUrl: 'https://example.org/models.json', baseUrl: 'https://example.org/' }
  return { engine: engineOf(client, createOnnxClient(place), place), requests, state }
}

const messages = [{ role: 'user', content: 'Hi' }] as const

async function collect<Chunk>(stream: AsyncIterable<Chunk>): Promise<Chunk[]> {
  const chunks: Chunk[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return chunks
}

const failure = async (promise: Promise<unknown>) => {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (isBrasaError(error)) return error
  throw new Error(`not refused, or not by a BrasaError: ${error}`)
}

describe('chat.completions.create', () => {
  test('answers as OpenAI does', async () => {
    const { engine, requests } = fakeClient()
    const completion = await engine.chat.completions.create({ messages, temperature: 0, max_tokens: 5 })
    expect(completion).toMatchObject({
      object: 'chat.completion',
      model: 'fake',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Hello' },
          finish_reason: 'stop',
          logprobs: null,
        },
      ],
      usage,
      timings,
    })
    expect(completion.id).toMatch(/^chatcmpl-/)
    expect(requests[0]).toMatchObject({
      input: { messages },
      settings: { maxTokens: 5, sampling: { temperature: 0 } },
    })
  })

  test('streams the role first, then text, then why it ended', async () => {
    const { engine } = fakeClient()
    const chunks = await collect(await engine.chat.completions.create({ messages, stream: true }))
    expect(chunks.map(({ choices }) => choices[0]!.delta)).toEqual([
      { role: 'assistant', content: 'Hel' },
      { content: 'lo' },
      {},
    ])
    expect(chunks.map(({ choices }) => choices[0]!.finish_reason)).toEqual([null, null, 'stop'])
    expect(chunks.at(-1)).toMatchObject({ usage, timings })
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1)
  })

  test('reports likely tokens when asked', async () => {
    const { engine } = fakeClient()
    const completion = await engine.chat.completions.create({ messages, top_logprobs: 1 })
    const reported = { ...logprob, bytes: [72, 101, 108] }
    expect(completion.choices[0]!.logprobs).toEqual({ content: [reported, reported, reported] })
  })

  test('abort ends a stream with what there is', async () => {
    const { engine } = fakeClient()
    const stream = await engine.chat.completions.create({ messages, stream: true })
    const reasons: unknown[] = []
    for await (const { choices } of stream) {
      reasons.push(choices[0]!.finish_reason)
      stream.abort()
    }
    expect(reasons).toEqual([null, 'abort'])
  })

  test('leaving the loop ends the answer', async () => {
    const { engine, state } = fakeClient()
    for await (const _ of await engine.chat.completions.create({ messages, stream: true })) break
    expect(state.left).toBe(true)
  })

  test('a stream is iterated once', async () => {
    const { engine } = fakeClient()
    const stream = await engine.chat.completions.create({ messages, stream: true })
    await collect(stream)
    expect(() => stream[Symbol.asyncIterator]()).toThrow(/once/)
  })

  test('a signal rejects an answer that is wanted whole', async () => {
    const { engine } = fakeClient()
    const controller = new AbortController()
    const answer = engine.chat.completions.create({ messages }, { signal: controller.signal })
    controller.abort()
    expect((await failure(answer)).code).toBe('aborted')
    const late = engine.chat.completions.create({ messages, stream: true }, { signal: controller.signal })
    expect((await failure(late)).code).toBe('aborted')
  })

  test.each<[unknown, RegExp]>([
    [{ messages: [] }, /"messages" is an empty list/],
    [{}, /"messages" is missing/],
    [{ messages: 'Hi' }, /"messages" is "Hi"/],
    [
      { messages: [{ role: 'judge', content: 'x' }] },
      /"messages\[0\]\.role" is "judge".*"system", "developer", "user"/,
    ],
    [{ messages: [messages[0], { content: 'x' }] }, /"messages\[1\]\.role" is missing/],
    [
      { messages: [{ role: 'user', content: [{ type: 'text' }] }] },
      /"messages\[0\]\.content\[0\]\.text" is missing/,
    ],
    [{ messages: [{ role: 'user', content: null }] }, /"messages\[0\]\.content" is null/],
    [{ messages: [null] }, /"messages\[0\]" is null/],
    [{ messages, temperature: Number.NaN }, /"temperature" is NaN.*0 to 5/],
    [{ messages, top_p: -1 }, /"top_p" is -1.*0 to 1/],
    [{ messages, stream: 'yes' }, /"stream" is "yes"/],
    [{ messages, suffix: 'x' }, /Unsupported parameter "suffix"/],
    [null, /request is null/],
  ])('refuses %j', async (request, message) => {
    const { engine } = fakeClient()
    const error = await failure(
      engine.chat.completions.create(request as ChatCompletionRequest & { stream: false }),
    )
    expect(error.code).toBe('invalid_request')
    expect(error.message).toMatch(message)
  })
})

describe('completions.create', () => {
  test('answers a raw prompt with text and token ids', async () => {
    const { engine, requests } = fakeClient()
    const completion = await engine.completions.create({ prompt: '<|im_start|>' })
    expect(completion).toMatchObject({
      object: 'text_completion',
      choices: [{ text: 'Hello', tokens: [0, 1, 2], finish_reason: 'stop' }],
      usage,
    })
    expect(requests[0]!.input).toEqual({ prompt: '<|im_start|>' })
  })

  test('streams every token', async () => {
    const { engine } = fakeClient()
    const chunks = await collect(await engine.completions.create({ prompt: 'x', stream: true }))
    expect(chunks.flatMap(({ choices }) => choices[0]!.tokens)).toEqual([0, 1, 2])
    expect(chunks.at(-1)).toMatchObject({ choices: [{ finish_reason: 'stop' }], timings })
  })

  test('refuses a prompt that is no string', async () => {
    const { engine } = fakeClient()
    const error = await failure(
      engine.completions.create({ prompt: 5 } as unknown as CompletionRequest & { stream: false }),
    )
    expect(error.message).toMatch(/"prompt" is 5/)
  })
})

describe('createEngine', () => {
  test.each([
    [{ model: null }, /"model" must be/],
    [{ model: 5 }, /"model" must be/],
    [{ model: '' }, /"model" must be/],
    [{ model: [] }, /"model" must be/],
    [{ model: 'x', contextLength: 0 }, /"contextLength" is 0/],
    [{ model: 'x', contextLength: Number.NaN }, /"contextLength" is NaN/],
    [{ model: 'x', threads: 0 }, /"threads" is 0/],
    [{ model: 'x', threads: 1.5 }, /"threads" is 1.5/],
  ])('refuses %j before it starts a worker', async (options, message) => {
    const error = await failure(createEngine(options as unknown as EngineOptions))
    expect(error.code).toBe('invalid_request')
    expect(error.message).toMatch(message)
  })
})

describe('score', () => {
  const { engine } = fakeClient()
  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['neither text nor tokens', {}],
    ['both', { text: 'a', tokens: [1, 2] }],
    ['a text that is none', { text: 5 }],
    ['tokens that are none', { tokens: [1, 2.5] }],
    ['negative tokens', { tokens: [1, -2] }],
    ['candidates that are no lists', { text: 'ab', logprobsOf: [1] }],
    ['too many likely tokens', { text: 'ab', topLogprobs: 101 }],
  ])('refuses %s', async (_, request) => {
    await expect(engine.score(request as never)).rejects.toMatchObject({ code: 'invalid_request' })
  })

  test('does not begin where the signal has fired', async () => {
    const { engine } = fakeClient()
    const scoring = engine.score({ text: 'ab' }, { signal: AbortSignal.abort() })
    await expect(scoring).rejects.toMatchObject({ code: 'aborted' })
  })
})
