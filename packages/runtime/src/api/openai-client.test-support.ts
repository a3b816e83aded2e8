import type OpenAI from 'openai'
import { BadRequestError, NotFoundError, RateLimitError } from 'openai'
import { expect, test } from 'vitest'
import type { Engine } from './types.ts'

export const model = 'smollm2-135m-instruct'
export const messages = [{ role: 'user' as const, content: 'What is the capital of France?' }]
export const greedy = { model, messages, temperature: 0 }
export const capitalAnswer = 'The capital of France is Paris.'

/** More than goes through the model while a test lasts. */
export const endless = { ignore_eos: true, max_tokens: 900 }

export async function collect<Chunk>(stream: AsyncIterable<Chunk>): Promise<Chunk[]> {
  const chunks: Chunk[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return chunks
}

/** A figure of the engine's `/metrics`; 0 where it was never counted. */
export async function metric(engine: Engine, name: string): Promise<number> {
  const text = await (await engine.fetch('/metrics')).text()
  const line = text.split('\n').find((each) => each.startsWith(`${name} `))
  return Number(line?.split(' ').at(-1) ?? 0)
}

/** Waits until nobody is answered and nobody waits. */
export const untilIdle = (engine: Engine) =>
  expect
    .poll(
      async () => [
        await metric(engine, 'brasa_requests_running'),
        await metric(engine, 'brasa_requests_waiting'),
      ],
      {
        timeout: 20_000,
      },
    )
    .toEqual([0, 0])

/** What the official client does with a real model, unmodified; it may reach the engine in any way. */
export function testOpenAiClient(clientOf: () => OpenAI, engineOf: () => Engine): void {
  test('gets the answer, whole and streamed, with usage', async () => {
    const openai = clientOf()
    const whole = await openai.chat.completions.create(greedy)
    expect(whole.choices[0]).toMatchObject({ message: { content: capitalAnswer }, finish_reason: 'stop' })
    const include_usage = { include_usage: true }
    const chunks = await collect(
      await openai.chat.completions.create({ ...greedy, stream: true, stream_options: include_usage }),
    )
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe(capitalAnswer)
    const { choices, usage } = chunks.at(-1)!
    expect(choices).toEqual([])
    expect(usage!.completion_tokens).toBe(whole.usage!.completion_tokens)
    expect(usage!.prompt_tokens_details!.cached_tokens).toBeGreaterThan(0)
  })

  test('gets responses', async () => {
    const { input } = { input: messages[0]!.content }
    const stream = clientOf().responses.stream({ model, input, temperature: 0 })
    expect((await stream.finalResponse()).output_text).toBe(capitalAnswer)
  })

  test('gets log-probabilities that belong to the answer', async () => {
    const { choices } = await clientOf().chat.completions.create({
      ...greedy,
      logprobs: true,
      top_logprobs: 2,
    })
    const content = choices[0]!.logprobs!.content!
    const said = content.flatMap(({ bytes }) => bytes!)
    expect(new TextDecoder().decode(Uint8Array.from(said))).toContain(capitalAnswer)
    for (const { logprob, top_logprobs } of content) {
      expect(top_logprobs).toHaveLength(2)
      expect(logprob).toBe(top_logprobs[0]!.logprob)
    }
  })

  test('gets three answers, the same again with the same seed', async () => {
    const asked = { model, messages, temperature: 1.5, seed: 7, n: 3, max_tokens: 8 }
    const textsOf = async (seed: number) => {
      const { choices } = await clientOf().chat.completions.create({ ...asked, seed })
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
      await clientOf().chat.completions.create({ ...greedy, stop: ['France is P', 'x9'], stream: true }),
    )
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe('The capital of ')
    expect(chunks.at(-1)!.choices[0]!.finish_reason).toBe('stop')
  })

  test('is heard where it biases a token away', async () => {
    const [token] = await engineOf().tokenize(' Paris')
    const { choices } = await clientOf().chat.completions.create({
      ...greedy,
      logit_bias: { [token!]: -100 },
    })
    expect(choices[0]!.message.content).not.toContain('Paris')
  })

  test('has the model go on from what the assistant began', async () => {
    const begun = { role: 'assistant' as const, content: 'The capital city of France is' }
    const asked = { ...greedy, messages: [...messages, begun], continue_final_message: true }
    const { choices } = await clientOf().chat.completions.create(asked)
    expect(choices[0]!.message.content).toMatch(/^ Paris\b/)
  })

  test('stops the model in mid-stream, and another has its place', async () => {
    const openai = clientOf()
    const engine = engineOf()
    const begin = async () => {
      const asked = { ...greedy, ...endless, stream: true as const }
      const stream = await openai.chat.completions.create(asked)
      const reader = stream[Symbol.asyncIterator]()
      for (
        let chunk = await reader.next();
        !chunk.value?.choices[0]?.delta.content;
        chunk = await reader.next()
      );
      return { stream, reader }
    }
    // As many as are answered side by side.
    const running = await Promise.all([begin(), begin(), begin(), begin()])
    const next = openai.chat.completions.create(greedy)
    await expect.poll(() => metric(engine, 'brasa_requests_waiting')).toBe(1)
    running[0]!.stream.controller.abort()
    expect((await next).choices[0]!.message.content).toBe(capitalAnswer)
    await running[1]!.reader.return!()
    expect((await openai.chat.completions.create(greedy)).choices[0]!.message.content).toBe(capitalAnswer)
    // Those that nobody stopped go on.
    expect(await metric(engine, 'brasa_requests_running')).toBe(2)
    for (const { stream } of running.slice(2)) stream.controller.abort()
    await untilIdle(engine)
  })

  test('gets embeddings', async () => {
    const openai = clientOf()
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
    const openai = clientOf()
    expect((await openai.models.list()).data.map(({ id }) => id)).toContain(model)
    await expect(openai.models.retrieve('gpt-4o')).rejects.toThrow(NotFoundError)
    await expect(openai.embeddings.create({ model: 'none', input: 'a' })).rejects.toThrow(NotFoundError)
  })

  test('throws a BadRequestError', async () => {
    const openai = clientOf()
    await expect(openai.chat.completions.create({ ...greedy, top_p: 2 })).rejects.toThrow(BadRequestError)
    const long = 'word '.repeat(2000)
    await expect(openai.completions.create({ model, prompt: long })).rejects.toMatchObject({
      status: 400,
      code: 'context_length_exceeded',
    })
  })

  test('throws a RateLimitError past the cap, and those that are given up are not answered', async () => {
    const engine = engineOf()
    const numAnswered = () => metric(engine, 'brasa_answers_total{finished_reason="stop"}')
    const before = await numAnswered()
    const refused = await firstRefusal(100, (abortSignal) =>
      clientOf().chat.completions.create(greedy, { signal: abortSignal }),
    )
    expect(refused).toBeInstanceOf(RateLimitError)
    expect((refused as RateLimitError).headers!.get('retry-after')).toMatch(/^\d+$/)
    await untilIdle(engine)
    expect((await numAnswered()) - before).toBeLessThan(40)
  })
}

/** What the first of `count` requests that fails fails with; the others are then given up. */
export async function firstRefusal(
  count: number,
  ask: (signal: AbortSignal) => Promise<unknown>,
): Promise<unknown> {
  const controller = new AbortController()
  const asked = Array.from({ length: count }, () => ask(controller.signal))
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
  return refused
}
