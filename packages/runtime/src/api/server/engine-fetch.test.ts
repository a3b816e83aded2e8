import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { generateText, jsonSchema, streamText, tool } from 'ai'
import OpenAI, { APIError, BadRequestError, InternalServerError, NotFoundError, RateLimitError } from 'openai'
import { describe, expect, test } from 'vitest'
import { BrasaError } from '../../errors.ts'
import { earlyHeadHeader } from '../../service-worker/wire.ts'
import { createFakeEngine, type FakeAnswer } from './fake-client.ts'

const messages = [{ role: 'user' as const, content: 'Hi' }]

function openAi(answer?: Parameters<typeof createFakeEngine>[0]) {
  const { engine, requests, state } = createFakeEngine(answer)
  const options = { baseURL: 'https://brasa.invalid/v1', apiKey: 'none', maxRetries: 0 }
  return { openai: new OpenAI({ ...options, fetch: engine.fetch }), engine, requests, state }
}

async function collect<Chunk>(stream: AsyncIterable<Chunk>): Promise<Chunk[]> {
  const chunks: Chunk[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return chunks
}

const post = (path: string, body: unknown, headers?: Record<string, string>) =>
  [path, { method: 'POST', body: JSON.stringify(body), ...(headers && { headers }) }] as const

const calls: FakeAnswer = {
  said: [
    { toolCalls: [{ index: 0, id: 'call_1', name: 'weather', arguments: '' }] },
    { toolCalls: [{ index: 0, arguments: '{"city":' }] },
    { toolCalls: [{ index: 0, arguments: '"Rome"}' }] },
  ],
  finishReason: 'tool_calls',
}
const weather = {
  type: 'function' as const,
  function: {
    name: 'weather',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
}

describe('the openai client', () => {
  test('gets an answer, and one streamed with its usage at the end', async () => {
    const { openai } = openAi()
    const whole = await openai.chat.completions.create({ model: 'fake', messages })
    expect(whole.choices[0]).toMatchObject({
      message: { role: 'assistant', content: 'Hello' },
      finish_reason: 'stop',
    })
    expect(whole.usage).toMatchObject({ total_tokens: 5, prompt_tokens_details: { cached_tokens: 1 } })
    expect(whole._request_id).toMatch(/^req_/)

    const include_usage = { include_usage: true }
    const stream = await openai.chat.completions.create({
      model: 'fake',
      messages,
      stream: true,
      stream_options: include_usage,
    })
    const chunks = await collect(stream)
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe('Hello')
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 5 } })
    expect(chunks.slice(0, -1).every(({ usage }) => usage === null)).toBe(true)

    const plain = await openai.chat.completions.create({ model: 'fake', messages, stream: true })
    expect((await collect(plain)).some((chunk) => 'usage' in chunk)).toBe(false)
  })

  test('gets three answers to one prompt', async () => {
    const { openai, requests } = openAi()
    const { choices, usage } = await openai.chat.completions.create({ model: 'fake', messages, n: 3 })
    expect(choices.map(({ index, message }) => [index, message.content])).toEqual([
      [0, 'Hello'],
      [1, 'Hello'],
      [2, 'Hello'],
    ])
    expect(usage?.completion_tokens).toBe(6)
    expect(requests[0]!.settings.numAnswers).toBe(3)
    const chunks = await collect(
      await openai.chat.completions.create({ model: 'fake', messages, n: 3, stream: true }),
    )
    const ends = chunks
      .flatMap(({ choices }) => choices)
      .filter(({ finish_reason }) => finish_reason !== null)
    expect(ends.map(({ index }) => index)).toEqual([0, 1, 2])
  })

  test('gets a tool call, whole and streamed, and gives its result back', async () => {
    const { openai, requests } = openAi(calls)
    const { choices } = await openai.chat.completions.create({
      model: 'fake',
      messages,
      tools: [weather],
      tool_choice: { type: 'function', function: { name: 'weather' } },
      parallel_tool_calls: false,
    })
    const [choice] = choices
    expect(choice).toMatchObject({ finish_reason: 'tool_calls', message: { content: null } })
    const expected = {
      id: 'call_1',
      type: 'function',
      function: { name: 'weather', arguments: '{"city":"Rome"}' },
    }
    expect(choice!.message.tool_calls).toEqual([expected])
    expect(requests[0]!.input).toMatchObject({ tools: [weather] })
    expect(requests[0]!.settings.format).toMatchObject({
      type: 'tools',
      choice: { name: 'weather' },
      parallel: false,
    })

    const stream = openai.chat.completions.stream({ model: 'fake', messages, tools: [weather] })
    expect((await stream.finalChatCompletion()).choices[0]!.message.tool_calls).toMatchObject([
      { function: { arguments: '{"city":"Rome"}' } },
    ])

    const result = { role: 'tool' as const, tool_call_id: 'call_1', content: 'Sunny' }
    await openai.chat.completions.create({
      model: 'fake',
      messages: [...messages, choice!.message, result],
      tools: [weather],
      tool_choice: 'none',
    })
    expect(requests.at(-1)!.input).toEqual({
      messages: [...messages, { role: 'assistant', content: '', tool_calls: [expected] }, result],
    })
    expect(requests.at(-1)!.settings.format).toBeUndefined()
  })

  test('gets log-probabilities with bytes', async () => {
    const { openai } = openAi({ said: [{ text: 'é', tokens: [233] }] })
    const { choices } = await openai.chat.completions.create({
      model: 'fake',
      messages,
      logprobs: true,
      top_logprobs: 2,
    })
    const [entry] = choices[0]!.logprobs!.content!
    expect(entry).toMatchObject({ token: 'é', logprob: -0.5, bytes: [0xc3, 0xa9] })
    expect(entry!.top_logprobs.map(({ token }) => token)).toEqual(['é', 'ê'])
  })

  test('gets a text scored, as evaluation harnesses ask', async () => {
    const { openai, requests } = openAi()
    const prompt = [[97, 98, 99], [100]]
    const { choices, usage } = await openai.completions.create({
      model: 'fake',
      prompt,
      echo: true,
      max_tokens: 0,
      logprobs: 1,
    })
    expect(choices[0]).toMatchObject({
      text: 'abc',
      finish_reason: 'length',
      logprobs: {
        tokens: ['a', 'b', 'c'],
        token_logprobs: [null, -0.98, -0.99],
        top_logprobs: [null, { a: 0 }, { a: 0 }],
        text_offset: [0, 1, 2],
      },
    })
    expect(choices[1]).toMatchObject({ index: 1, text: 'd', logprobs: { token_logprobs: [null] } })
    expect(usage).toMatchObject({ prompt_tokens: 4, completion_tokens: 0 })
    expect(requests).toHaveLength(0)
  })

  test('gets the prompt before the answer', async () => {
    const { openai } = openAi()
    const asked = { model: 'fake', prompt: ['ab', 'c'], echo: true, logprobs: 0, n: 2 } as const
    const { choices } = await openai.completions.create({ ...asked, prompt: [...asked.prompt] })
    expect(choices.map(({ index, text }) => [index, text])).toEqual([
      [0, 'abHello'],
      [1, 'abHello'],
      [2, 'cHello'],
      [3, 'cHello'],
    ])
    expect(choices[0]!.logprobs!.text_offset).toEqual([0, 1, 2, 3])
    const stream = await openai.completions.create({
      model: 'fake',
      prompt: 'ab',
      stream: true,
      stream_options: { include_usage: true },
    })
    const chunks = await collect(stream)
    expect(chunks.map(({ choices }) => choices[0]?.text ?? '').join('')).toBe('Hello')
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 5 } })
  })

  test('gets responses, whole and streamed', async () => {
    const { openai } = openAi({ said: [{ thought: 'Hm', tokens: [1] }, { text: 'Hel' }, { text: 'lo' }] })
    const whole = await openai.responses.create({ model: 'fake', input: 'Hi', instructions: 'Be brief.' })
    expect(whole.output_text).toBe('Hello')
    expect(whole).toMatchObject({
      status: 'completed',
      usage: { input_tokens: 3 },
      instructions: 'Be brief.',
    })

    const stream = openai.responses.stream({ model: 'fake', input: [{ role: 'user', content: 'Hi' }] })
    const events = await collect(stream)
    expect(events.map(({ type }) => type)).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.reasoning_text.delta',
      'response.reasoning_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ])
    expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, index) => index))
    expect((await stream.finalResponse()).output_text).toBe('Hello')
  })

  test('gets calls from responses, and gives their results back', async () => {
    const { openai, requests } = openAi(calls)
    const { name, parameters } = weather.function
    const tools = [{ type: 'function' as const, name, parameters, strict: true }]
    // As it is streamed, the client adds what it has parsed.
    const { output } = await openai.responses.stream({ model: 'fake', input: 'Hi', tools }).finalResponse()
    expect(output).toMatchObject([{ type: 'function_call', call_id: 'call_1', arguments: '{"city":"Rome"}' }])
    const result = { type: 'function_call_output' as const, call_id: 'call_1', output: 'Sunny' }
    const input = [
      { role: 'user' as const, content: 'Hi' },
      ...output,
      result,
    ] as OpenAI.Responses.ResponseInput
    await openai.responses.create({ model: 'fake', input, tools })
    expect(requests.at(-1)!.input).toMatchObject({
      messages: [
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: '', tool_calls: [{ id: 'call_1' }] },
        { role: 'tool', content: 'Sunny', tool_call_id: 'call_1' },
      ],
    })
  })

  test('gives a response back as it came, what was thought included', async () => {
    const { openai, requests } = openAi({ said: [{ thought: 'Hm', tokens: [1] }, { text: 'Hello' }] })
    const { output } = await openai.responses.stream({ model: 'fake', input: 'Hi' }).finalResponse()
    expect(output.map(({ type }) => type)).toEqual(['reasoning', 'message'])
    const next = { role: 'user' as const, content: 'And?' }
    const input = [{ ...next, content: 'Hi' }, ...output, next] as OpenAI.Responses.ResponseInput
    await openai.responses.create({ model: 'fake', input })
    expect(requests.at(-1)!.input).toEqual({
      messages: [
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: 'Hello', reasoning_content: 'Hm' },
        next,
      ],
    })
  })

  test('lists the model', async () => {
    const { openai } = openAi()
    expect((await openai.models.list()).data.map(({ id }) => id)).toEqual(['fake'])
    expect(await openai.models.retrieve('fake')).toMatchObject({ id: 'fake', object: 'model' })
    await expect(openai.models.retrieve('gpt/4')).rejects.toThrow(NotFoundError)
  })

  test('throws its own errors', async () => {
    const { openai } = openAi()
    const asked = { model: 'fake', messages, temperature: 9 }
    const error = await openai.chat.completions.create(asked).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(BadRequestError)
    expect(error).toMatchObject({
      status: 400,
      param: 'temperature',
      type: 'invalid_request_error',
      code: 'invalid_request',
    })
    await expect(openai.chat.completions.create({ model: 'gpt-4o', messages })).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
    })
    const full = new BrasaError('queue_full', { message: 'Full.', details: { retryAfterMs: 1500 } })
    const busy = openAi({ error: { error: full } }).openai
    const refused = await busy.chat.completions.create({ model: 'fake', messages }).catch((e: unknown) => e)
    expect(refused).toBeInstanceOf(RateLimitError)
    expect((refused as RateLimitError).headers?.get('retry-after')).toBe('2')
    const lost = openAi({ error: { error: new BrasaError('device_lost', { message: 'Lost.' }) } }).openai
    await expect(lost.chat.completions.create({ model: 'fake', messages })).rejects.toMatchObject({
      status: 503,
    })
    await expect(lost.chat.completions.create({ model: 'fake', messages })).rejects.toThrow(
      InternalServerError,
    )
  })

  test('hears of what fails in mid-stream', async () => {
    const failing = {
      error: { error: new BrasaError('device_lost', { message: 'The GPU is gone.' }), after: 1 },
    }
    const { openai, state } = openAi(failing)
    const stream = await openai.chat.completions.create({ model: 'fake', messages, stream: true })
    await expect(collect(stream)).rejects.toThrow(APIError)
    expect(state.numRunning).toBe(0)
  })

  test('stops the model when it leaves', async () => {
    const { openai, state } = openAi({ said: Array.from({ length: 1000 }, () => ({ text: 'a' })) })
    const stream = await openai.chat.completions.create({ model: 'fake', messages, stream: true })
    for await (const _ of stream) break
    await expect.poll(() => state).toMatchObject({ numRunning: 0, numStopped: 1 })
    expect(state.numPulled).toBeLessThan(10)

    const second = await openai.chat.completions.create({ model: 'fake', messages, stream: true })
    for await (const _ of second) second.controller.abort()
    await expect.poll(() => state).toMatchObject({ numRunning: 0, numStopped: 2 })

    const controller = new AbortController()
    const whole = openai.chat.completions.create({ model: 'fake', messages }, { signal: controller.signal })
    setTimeout(() => controller.abort(), 20)
    await expect(whole).rejects.toThrow(OpenAI.APIUserAbortError)
    await expect.poll(() => state).toMatchObject({ numRunning: 0, numStopped: 3 })
  })
})

describe('the AI SDK', () => {
  const modelOf = (answer?: FakeAnswer) => {
    const { engine, requests } = createFakeEngine(answer)
    const provider = createOpenAICompatible({
      name: 'brasa',
      baseURL: 'https://brasa.invalid/v1',
      fetch: engine.fetch,
      includeUsage: true,
      supportsStructuredOutputs: true,
    })
    return { model: provider.chatModel('fake'), requests }
  }

  test('streams a text with its usage', async () => {
    const { model } = modelOf()
    const { textStream, usage } = streamText({ model, prompt: 'Hi' })
    expect((await collect(textStream)).join('')).toBe('Hello')
    expect(await usage).toMatchObject({ inputTokens: 3, outputTokens: 2 })
  })

  test('calls a tool', async () => {
    const { model, requests } = modelOf(calls)
    const inputSchema = jsonSchema<{ city: string }>(weather.function.parameters as object)
    const { toolCalls } = await generateText({
      model,
      prompt: 'Hi',
      tools: { weather: tool({ inputSchema }) },
    })
    expect(toolCalls).toMatchObject([{ toolName: 'weather', input: { city: 'Rome' } }])
    expect(requests[0]!.settings.format).toMatchObject({ type: 'tools', choice: 'auto', parallel: true })
  })
})

describe('engine.fetch', () => {
  test('answers as a server does', async () => {
    const { engine } = createFakeEngine()
    const { fetch } = engine
    expect((await fetch('/v1/chat/completions')).status).toBe(405)
    expect((await fetch('/v1/chat/completions')).headers.get('allow')).toBe('POST, OPTIONS')
    expect((await fetch('/v1/chat/completions', { method: 'OPTIONS' })).status).toBe(204)
    expect((await fetch('/v1/nothing')).status).toBe(404)
    expect((await fetch(...post('/v1/chat/completions', 5))).status).toBe(400)
    expect((await fetch('/v1/completions', { method: 'POST', body: '{' })).status).toBe(400)
    const large = { method: 'POST', body: ' '.repeat(33 * 1024 * 1024) }
    expect((await fetch('/v1/completions', large)).status).toBe(413)
    const head = await fetch('/v1/models', { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
    const folder = await fetch(new URL('https://example.org/app/v1/models/fake/'))
    expect(await folder.json()).toMatchObject({ id: 'fake' })
    expect(await (await fetch(new Request('https://example.org/health'))).json()).toEqual({
      status: 'ok',
      model: 'fake',
      backend: 'reference',
    })
  })

  test('has an id of each request: a sane one is kept', async () => {
    const { fetch } = createFakeEngine().engine
    const idOf = async (id: string) =>
      (await fetch('/health', { headers: { 'x-request-id': id } })).headers.get('x-request-id')
    expect(await idOf('mine-1')).toBe('mine-1')
    expect(await idOf('a b')).toMatch(/^req_[0-9a-f]{32}$/)
    expect(await idOf('x'.repeat(200))).toMatch(/^req_/)
  })

  test('makes no chunk that nobody reads', async () => {
    const { engine, state } = createFakeEngine({ said: Array.from({ length: 50 }, () => ({ text: 'a' })) })
    const asked = { messages, stream: true }
    const response = await engine.fetch(...post('/v1/chat/completions', asked))
    const other = await engine.fetch(...post('/v1/chat/completions', asked))
    expect((await other.text()).endsWith('data: [DONE]\n\n')).toBe(true)
    expect(state.numPulled).toBe(50)
    await response.body!.cancel()
    await expect.poll(() => state.numRunning).toBe(0)
  })

  test('rejects as fetch does where the signal has fired', async () => {
    const { fetch } = createFakeEngine().engine
    const asked = post('/v1/chat/completions', { messages })[1]
    const rejected = fetch('/v1/chat/completions', { ...asked, signal: AbortSignal.abort() })
    await expect(rejected).rejects.toMatchObject({ name: 'AbortError' })
  })

  test('tokenises and back', async () => {
    const { fetch } = createFakeEngine().engine
    const tokenized = await (
      await fetch(...post('/tokenize', { prompt: 'aé', return_token_strs: true }))
    ).json()
    expect(tokenized).toEqual({ count: 2, max_model_len: 100, tokens: [97, 233], token_strs: ['a', 'é'] })
    const { tokens } = tokenized as { tokens: number[] }
    expect(await (await fetch(...post('/detokenize', { tokens }))).json()).toEqual({ prompt: 'aé' })
    expect((await fetch(...post('/detokenize', { tokens: [70_000] }))).status).toBe(400)
  })

  test('tokenises a conversation, up to its answer or without that', async () => {
    const { fetch } = createFakeEngine().engine
    const conversation = [...messages, { role: 'assistant', content: 'Yo' }]
    const textOf = async (request: object) => {
      const response = await fetch(...post('/tokenize', request))
      const { tokens, error } = (await response.json()) as { tokens?: number[]; error?: { param: string } }
      return tokens ? String.fromCharCode(...tokens) : error?.param
    }
    expect(await textOf({ messages: conversation })).toBe('uHi|aYo>')
    expect(await textOf({ messages: conversation, add_generation_prompt: false })).toBe('uHi|aYo')
    expect(await textOf({ messages: conversation, continue_final_message: true })).toBe('uHi|aYo')
    expect(await textOf({ messages, tools: [weather], add_special_tokens: true })).toBe('^{weather}uHi>')
    expect(await textOf({ prompt: 'Hi', add_special_tokens: true })).toBe('^Hi')
    expect(await textOf({ messages, continue_final_message: true })).toBe('continue_final_message')
    const both = { continue_final_message: true, add_generation_prompt: true }
    expect(await textOf({ messages: conversation, ...both })).toBe('add_generation_prompt')
    expect(await textOf({ messages, prompt: 'Hi' })).toBe('prompt')
  })

  test('tells its metrics', async () => {
    const { fetch } = createFakeEngine().engine
    await fetch(...post('/v1/chat/completions', { messages }))
    await fetch(...post('/v1/chat/completions', {}))
    const lines = (await (await fetch('/metrics')).text()).split('\n')
    for (const line of [
      'brasa_time_to_first_token_seconds_bucket{le="0.05"} 0',
      'brasa_time_to_first_token_seconds_bucket{le="0.1"} 1',
      'brasa_time_per_output_token_seconds_sum 0.05',
      'brasa_requests_waiting 0',
      'brasa_requests_running 0',
      'brasa_prompt_tokens_total 3',
      'brasa_cached_prompt_tokens_total 1',
      'brasa_generation_tokens_total 2',
      'brasa_answers_total{finished_reason="stop"} 1',
      'brasa_http_requests_total{path="/v1/chat/completions",status="200"} 1',
      'brasa_http_requests_total{path="/v1/chat/completions",status="400"} 1',
      'brasa_kv_cache_bytes 20',
    ]) {
      expect(lines).toContain(line)
    }
  })

  test('counts the tokens that an echo scores', async () => {
    const { fetch } = createFakeEngine().engine
    await fetch(...post('/v1/completions', { prompt: 'abc', echo: true, max_tokens: 0, logprobs: 1 }))
    await fetch(...post('/v1/completions', { prompt: 'ab', echo: true, logprobs: 1 }))
    const lines = (await (await fetch('/metrics')).text()).split('\n')
    // Of all but the first, which follows nothing.
    expect(lines).toContain('brasa_scored_tokens_total 3')
    expect(lines).toContain('brasa_requests_waiting 0')
    expect(lines).toContain('brasa_requests_running 0')
  })

  test.each(['worker_lost', 'device_lost', 'out_of_memory', 'disposed'] as const)(
    'says that the engine is not well: %s',
    async (code) => {
      const memory = () => Promise.reject(new BrasaError(code, { message: 'It is lost.' }))
      const { fetch } = createFakeEngine({}, { memory }).engine
      const response = await fetch('/health')
      expect(response.status).toBe(503)
      expect(response.headers.get('retry-after')).toBe('1')
      expect(await response.json()).toMatchObject({ error: { type: 'service_unavailable_error', code } })
      // What it counted is there nevertheless.
      const text = await (await fetch('/metrics')).text()
      expect(text).toContain('brasa_requests_running 0')
      expect(text).not.toContain('brasa_kv_cache_bytes')
    },
  )

  describe('asked for the head of a whole answer ahead of its body', () => {
    const early = { [earlyHeadHeader]: '1' }
    const asked = post('/v1/chat/completions', { messages }, early)

    test('gives it once the prompt is accepted', async () => {
      const { engine, state } = createFakeEngine()
      const response = await engine.fetch(...asked)
      expect(response.headers.get('content-type')).toBe('application/json')
      expect(state).toMatchObject({ numRunning: 1 })
      expect(await response.json()).toMatchObject({ choices: [{ message: { content: 'Hello' } }] })
      expect(state).toMatchObject({ numRunning: 0, numStopped: 0 })
    })

    test('stops where the signal fires, and breaks off where the engine fails', async () => {
      const { engine, state } = createFakeEngine()
      const controller = new AbortController()
      const response = await engine.fetch(asked[0], { ...asked[1], signal: controller.signal })
      controller.abort()
      await expect(response.text()).rejects.toThrow()
      await expect.poll(() => state.numRunning).toBe(0)
      expect(state.numPulled).toBeLessThan(2)
      const failing = createFakeEngine({
        error: { error: new BrasaError('internal', { message: 'No.' }), after: 1 },
      })
      await expect((await failing.engine.fetch(...asked)).text()).rejects.toThrow('No.')
    })

    test('refuses with the status of what is wrong', async () => {
      const { fetch } = createFakeEngine().engine
      const statusOf = async (body: object) =>
        (await fetch(...post('/v1/chat/completions', body, early))).status
      expect(await statusOf({})).toBe(400)
      expect(await statusOf({ messages, model: 'other' })).toBe(404)
      const full = createFakeEngine({ error: { error: new BrasaError('queue_full', { message: 'Full.' }) } })
      expect((await full.engine.fetch(...asked)).status).toBe(429)
    })
  })

  test.each([
    ['/v1/chat/completions', { messages, best_of: 2 }, 'best_of'],
    ['/v1/chat/completions', { messages, n: 17 }, 'n'],
    ['/v1/chat/completions', { messages, stream_options: { include_usage: true } }, 'stream_options'],
    ['/v1/chat/completions', { messages, logprobs: false, top_logprobs: 2 }, 'top_logprobs'],
    ['/v1/chat/completions', { messages, tool_choice: 'required' }, 'tool_choice'],
    ['/v1/chat/completions', { messages, tools: [weather, weather] }, 'tools'],
    ['/v1/chat/completions', { messages, response_format: { type: 'xml' } }, 'response_format.type'],
    [
      '/v1/chat/completions',
      { messages, tools: [weather], response_format: { type: 'json_object' } },
      'response_format',
    ],
    ['/v1/chat/completions', { messages, continue_final_message: true }, 'continue_final_message'],
    ['/v1/chat/completions', { messages, store: true }, 'store'],
    ['/v1/chat/completions', { messages, reasoning_effort: 'low' }, 'reasoning_effort'],
    [
      '/v1/chat/completions',
      { messages: [{ role: 'user', content: [{ type: 'image_url' }] }] },
      'messages[0].content[0].type',
    ],
    ['/v1/chat/completions', { messages: [{ ...messages[0], name: 'x' }] }, 'messages[0].name'],
    ['/v1/completions', { prompt: 'a', suffix: 'b' }, 'suffix'],
    ['/v1/completions', { prompt: 'a', max_tokens: 0 }, 'max_tokens'],
    ['/v1/completions', { prompt: '', echo: true, max_tokens: 0 }, 'prompt'],
    ['/v1/embeddings', { model: 'm', input: [1, 2] }, 'input[0]'],
    ['/v1/embeddings', { model: 'm', input: 'a', dimensions: 5 }, 'dimensions'],
    ['/v1/responses', { input: 'a', previous_response_id: 'x' }, 'previous_response_id'],
    ['/v1/responses', { input: 'a', tools: [{ type: 'web_search' }] }, 'tools[0].type'],
  ])('%s refuses %j by the name of %s', async (path, body, param) => {
    const response = await createFakeEngine().engine.fetch(...post(path, body))
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: { type: 'invalid_request_error', param } })
  })

  test('goes on from what the assistant began', async () => {
    const { engine, requests } = createFakeEngine()
    const begun = [...messages, { role: 'assistant', content: [{ type: 'text', text: 'The answer is' }] }]
    await engine.fetch(...post('/v1/chat/completions', { messages: begun, continue_final_message: true }))
    expect(requests[0]!.input).toEqual({
      messages: [...messages, { role: 'assistant', content: 'The answer is' }],
      continuesAssistant: true,
    })
  })
})
