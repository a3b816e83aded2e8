import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { generateObject, generateText, jsonSchema, streamText, tool } from 'ai'
import Ajv from 'ajv'
import OpenAI, { BadRequestError, NotFoundError, RateLimitError } from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import cases from '../backends/reference/fixtures/smollm2-reference.json'
import {
  createEngine,
  type Engine,
  listStoredModels,
  type Registration,
  registerBrasa,
  removeStoredModel,
} from '../index.ts'

/** The model's log-probabilities, in nats, as of the backend's own tests. */
const tolerance = 0.02

const model = 'smollm2-135m-instruct'
const messages = [{ role: 'user' as const, content: 'What is the capital of France?' }]
const greedy = { model, messages, temperature: 0 }
let engine: Engine
let registration: Registration
let openai: OpenAI

/** Ways to the engine: its own fetch, and the page's, which a service worker answers. */
const ways = {
  'engine.fetch': () => ({ baseURL: 'https://brasa.invalid/v1', fetch: engine.fetch }),
  'a service worker': () => ({ baseURL: registration.baseUrl }),
} as const
const wayNames = Object.keys(ways) as (keyof typeof ways)[]

beforeAll(async () => {
  engine = await createEngine({
    model,
    backend: 'wasm',
    contextLength: 1024,
    catalogueUrl: '/models/models.json',
  })
  registration = await registerBrasa(engine, {
    script: new URL('../service-worker.ts', import.meta.url),
    scope: '/',
  })
  await registration.elected
}, 120_000)

afterAll(async () => {
  registration?.release()
  for (const each of await navigator.serviceWorker.getRegistrations()) await each.unregister()
  await engine?.dispose()
  for (const { id } of await listStoredModels()) await removeStoredModel(id)
})

async function collect<Chunk>(stream: AsyncIterable<Chunk>): Promise<Chunk[]> {
  const chunks: Chunk[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return chunks
}

describe.each(wayNames)('the openai client, through %s,', (way) => {
  beforeAll(() => {
    openai = new OpenAI({ ...ways[way](), apiKey: 'none', dangerouslyAllowBrowser: true, maxRetries: 0 })
  })

  test('gets the answer, whole and streamed, with usage', async () => {
    const whole = await openai.chat.completions.create(greedy)
    expect(whole.choices[0]).toMatchObject({
      message: { content: 'The capital of France is Paris.' },
      finish_reason: 'stop',
    })
    const include_usage = { include_usage: true }
    const chunks = await collect(
      await openai.chat.completions.create({ ...greedy, stream: true, stream_options: include_usage }),
    )
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe(
      'The capital of France is Paris.',
    )
    const { choices, usage } = chunks.at(-1)!
    expect(choices).toEqual([])
    expect(usage!.completion_tokens).toBe(whole.usage!.completion_tokens)
    expect(usage!.prompt_tokens_details!.cached_tokens).toBeGreaterThan(0)
  })

  test('gets responses', async () => {
    const { input } = { input: messages[0]!.content }
    const stream = openai.responses.stream({ model, input, temperature: 0 })
    expect((await stream.finalResponse()).output_text).toBe('The capital of France is Paris.')
  })

  test('gets log-probabilities that belong to the answer', async () => {
    const { choices } = await openai.chat.completions.create({ ...greedy, logprobs: true, top_logprobs: 2 })
    const content = choices[0]!.logprobs!.content!
    const said = content.flatMap(({ bytes }) => bytes!)
    expect(new TextDecoder().decode(Uint8Array.from(said))).toContain('The capital of France is Paris.')
    for (const { logprob, top_logprobs } of content) {
      expect(top_logprobs).toHaveLength(2)
      expect(logprob).toBe(top_logprobs[0]!.logprob)
    }
  })

  test.each(cases.map(({ name }) => name))('gets %s scored as the reference scores it', async (name) => {
    const { tokens, greedy, topLogprobs } = cases.find((each) => each.name === name)!
    const { choices } = await openai.completions.create({
      model,
      prompt: [...tokens, ...greedy],
      echo: true,
      max_tokens: 0,
      logprobs: 5,
    })
    const { token_logprobs } = choices[0]!.logprobs!
    expect(token_logprobs![0]).toBeNull()
    const answer = token_logprobs!.slice(tokens.length)
    for (const [step, logprob] of answer.entries()) {
      const [, expected] = topLogprobs[step]!.find(([token]) => token === greedy[step])!
      expect(Math.abs(logprob! - expected!)).toBeLessThan(tolerance)
    }
  })

  test('gets three answers, the same again with the same seed', async () => {
    const asked = { model, messages, temperature: 1.5, seed: 7, n: 3, max_tokens: 8 }
    const textsOf = async (seed: number) => {
      const { choices } = await openai.chat.completions.create({ ...asked, seed })
      return choices.map(({ message }) => message.content)
    }
    const texts = await textsOf(7)
    expect(texts).toHaveLength(3)
    expect(new Set(texts).size).toBeGreaterThan(1)
    expect(await textsOf(7)).toEqual(texts)
    expect(await textsOf(99)).not.toEqual(texts)
  })

  test('never sees a stop string, nor what comes of it', async () => {
    const chunks = await collect(
      await openai.chat.completions.create({ ...greedy, stop: ['France is P', 'x9'], stream: true }),
    )
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe('The capital of ')
    expect(chunks.at(-1)!.choices[0]!.finish_reason).toBe('stop')
  })

  test('is heard where it biases a token away', async () => {
    const [token] = await engine.tokenize(' Paris')
    const { choices } = await openai.chat.completions.create({ ...greedy, logit_bias: { [token!]: -100 } })
    expect(choices[0]!.message.content).not.toContain('Paris')
  })

  test('gets JSON that keeps to its schema', async () => {
    const schema = {
      type: 'object',
      properties: { city: { type: 'string', maxLength: 12 }, large: { type: 'boolean' } },
      required: ['city', 'large'],
      additionalProperties: false,
    }
    const { choices } = await openai.chat.completions.create({
      ...greedy,
      max_tokens: 60,
      response_format: { type: 'json_schema', json_schema: { name: 'capital', schema, strict: true } },
    })
    expect(choices[0]!.finish_reason).toBe('stop')
    const answer = JSON.parse(choices[0]!.message.content!)
    expect(new Ajv().validate(schema, answer), JSON.stringify(answer)).toBe(true)
  })

  test('has the model call a tool, and answer with its result', async () => {
    const parameters = {
      type: 'object',
      properties: { city: { type: 'string', maxLength: 12 } },
      required: ['city'],
      additionalProperties: false,
    }
    const tools = [{ type: 'function' as const, function: { name: 'population_of', parameters } }]
    const asked = { ...greedy, tools, max_tokens: 60 }
    const { choices } = await openai.chat.completions.create({
      ...asked,
      tool_choice: 'required',
      parallel_tool_calls: false,
    })
    const { message, finish_reason } = choices[0]!
    expect(finish_reason).toBe('tool_calls')
    const [call] = message.tool_calls! as OpenAI.ChatCompletionMessageFunctionToolCall[]
    expect(call!.function.name).toBe('population_of')
    expect(new Ajv().validate(parameters, JSON.parse(call!.function.arguments))).toBe(true)

    const result = { role: 'tool' as const, tool_call_id: call!.id, content: '2,100,000' }
    const next = await openai.chat.completions.create({
      ...asked,
      messages: [...messages, message, result],
      tool_choice: 'none',
    })
    expect(next.choices[0]!.message.content).not.toBe('')
  })

  test('stops the model in mid-stream', async () => {
    const stream = await openai.chat.completions.create({
      model,
      messages: [{ role: 'user', content: 'Tell me a very long story.' }],
      stream: true,
    })
    for await (const { choices } of stream) if (choices[0]?.delta.content) break
    const running = async () => (await (await engine.fetch('/metrics')).text()).match(/running (\d+)/)![1]
    await expect.poll(running).toBe('0')
    expect((await openai.chat.completions.create(greedy)).choices[0]!.message.content).toContain('Paris')
  })

  test('gets embeddings', async () => {
    const { data } = await openai.embeddings.create({ model: 'all-minilm-l6-v2', input: ['salt', 'rope'] })
    expect(data.map(({ embedding }) => embedding.length)).toEqual([384, 384])
    expect(Math.hypot(...data[0]!.embedding)).toBeCloseTo(1, 5)
    const asFloats = await openai.embeddings.create({
      model: 'all-minilm-l6-v2',
      input: ['salt', 'rope'],
      encoding_format: 'float',
    })
    expect(asFloats.data[1]!.embedding).toEqual(data[1]!.embedding)
  })

  test('finds the model and no other', async () => {
    expect((await openai.models.list()).data.map(({ id }) => id)).toContain(model)
    await expect(openai.models.retrieve('gpt-4o')).rejects.toThrow(NotFoundError)
    await expect(openai.embeddings.create({ model: 'none', input: 'a' })).rejects.toThrow(NotFoundError)
  })

  test('throws a BadRequestError', async () => {
    await expect(openai.chat.completions.create({ ...greedy, top_p: 2 })).rejects.toThrow(BadRequestError)
    const long = 'word '.repeat(2000)
    await expect(openai.completions.create({ model, prompt: long })).rejects.toMatchObject({
      status: 400,
      code: 'context_length_exceeded',
    })
  })

  test('throws a RateLimitError past the cap', async () => {
    const controller = new AbortController()
    const asked = Array.from({ length: 100 }, () =>
      openai.chat.completions.create({ ...greedy, max_tokens: 50 }, { signal: controller.signal }),
    )
    const refused = await Promise.any(
      asked.map((answer) =>
        answer.then(
          () => Promise.reject(new Error('answered')),
          (error: unknown) => error,
        ),
      ),
    )
    controller.abort()
    await Promise.allSettled(asked)
    expect(refused).toBeInstanceOf(RateLimitError)
    expect((refused as RateLimitError).headers!.get('retry-after')).toMatch(/^\d+$/)
  })
})

describe.each(wayNames)('the AI SDK, through %s,', (way) => {
  const chatModel = () =>
    createOpenAICompatible({
      name: 'brasa',
      ...ways[way](),
      includeUsage: true,
      supportsStructuredOutputs: true,
    }).chatModel(model)
  const prompt = messages[0]!.content

  test('gets the answer, whole and streamed, with usage', async () => {
    const asked = { model: chatModel(), prompt, temperature: 0 }
    const { text, usage } = await generateText(asked)
    expect(text).toBe('The capital of France is Paris.')
    const streamed = streamText(asked)
    expect((await collect(streamed.textStream)).join('')).toBe(text)
    expect((await streamed.usage).outputTokens).toBe(usage.outputTokens)
  })

  test('has tools called, and gets objects of a schema', async () => {
    const inputSchema = jsonSchema<{ city: string }>({
      type: 'object',
      properties: { city: { type: 'string', maxLength: 12 } },
      required: ['city'],
      additionalProperties: false,
    })
    const calls: string[] = []
    const population = tool({
      inputSchema,
      execute: async ({ city }) => {
        calls.push(city)
        return 2_100_000
      },
    })
    const { toolCalls } = await generateText({
      model: chatModel(),
      prompt,
      temperature: 0,
      maxOutputTokens: 60,
      tools: { population },
      toolChoice: { type: 'tool', toolName: 'population' },
      providerOptions: { brasa: { parallel_tool_calls: false } },
    })
    expect(toolCalls.map(({ toolName }) => toolName)).toContain('population')
    expect(calls).toHaveLength(toolCalls.length)
    const { object } = await generateObject({
      model: chatModel(),
      schema: inputSchema,
      prompt,
      temperature: 0,
      maxOutputTokens: 60,
    })
    expect(Object.keys(object)).toEqual(['city'])
  })

  test('stops the model, and throws what the engine refuses', async () => {
    const controller = new AbortController()
    const streamed = streamText({
      model: chatModel(),
      prompt: 'Tell me a very long story.',
      abortSignal: controller.signal,
      onError: () => {},
    })
    for await (const _ of streamed.textStream) controller.abort()
    await expect(generateText({ model: chatModel(), prompt, topP: 2, maxRetries: 0 })).rejects.toMatchObject({
      statusCode: 400,
    })
  })
})
