import type { OpenAICompatibleProvider } from '@ai-sdk/openai-compatible'
import {
  APICallError,
  embedMany,
  generateObject,
  generateText,
  jsonSchema,
  stepCountIs,
  streamText,
  tool,
} from 'ai'
import { expect, test } from 'vitest'
import {
  capitalAnswer,
  collect,
  endless,
  firstRefusal,
  messages,
  metric,
  model,
  untilIdle,
} from './openai-client.test-support.ts'
import { citySchema, expectValid } from './structured-answers.test-support.ts'
import type { Engine } from './types.ts'

/** What the AI SDK does with a real model, through its own provider of what is like OpenAI's. */
export function testAiSdk(providerOf: () => OpenAICompatibleProvider, engineOf: () => Engine): void {
  const chatModel = () => providerOf().chatModel(model)
  const prompt = messages[0]!.content
  const inputSchema = jsonSchema<{ city: string }>(citySchema)

  test('gets the answer, whole and streamed, with usage', async () => {
    const asked = { model: chatModel(), prompt, temperature: 0 }
    const { text, usage } = await generateText(asked)
    expect(text).toBe(capitalAnswer)
    const streamed = streamText(asked)
    expect((await collect(streamed.textStream)).join('')).toBe(text)
    expect((await streamed.usage).outputTokens).toBe(usage.outputTokens)
  })

  test('has a tool called, and the model answer with its result', async () => {
    const calls: unknown[] = []
    const population = tool({
      inputSchema,
      execute: async (input) => {
        calls.push(input)
        return '2,100,000'
      },
    })
    const { steps, text } = await generateText({
      model: chatModel(),
      prompt,
      temperature: 0,
      maxOutputTokens: 60,
      tools: { population },
      stopWhen: stepCountIs(2),
      prepareStep: ({ stepNumber }) => ({
        toolChoice: stepNumber === 0 ? { type: 'tool', toolName: 'population' } : 'none',
      }),
      providerOptions: { brasa: { parallel_tool_calls: false } },
    })
    expect(steps.map(({ finishReason }) => finishReason)).toEqual(['tool-calls', 'stop'])
    expect(calls).toHaveLength(1)
    expectValid(citySchema, calls[0])
    expect(steps[0]!.toolResults).toMatchObject([{ toolName: 'population', output: '2,100,000' }])
    expect(text).toContain('2,100,000')
  })

  test('gets an object of a schema', async () => {
    const { object } = await generateObject({
      model: chatModel(),
      schema: inputSchema,
      prompt,
      temperature: 0,
      maxOutputTokens: 60,
    })
    expectValid(citySchema, object)
  })

  test('never sees a stop string, and gets the same again with the same seed', async () => {
    const stopped = await generateText({
      ...{ model: chatModel(), prompt, temperature: 0 },
      stopSequences: ['France is P', 'x9'],
    })
    expect([stopped.text, stopped.finishReason]).toEqual(['The capital of ', 'stop'])
    const textOf = async (seed: number) => {
      const asked = { model: chatModel(), prompt, temperature: 1.5, maxOutputTokens: 8, seed }
      return (await generateText(asked)).text
    }
    const text = await textOf(7)
    expect(await textOf(7)).toBe(text)
    expect(await textOf(99)).not.toBe(text)
  })

  test('gets embeddings', async () => {
    const { embeddings } = await embedMany({
      model: providerOf().embeddingModel('all-minilm-l6-v2'),
      values: ['salt', 'rope', 'salt'],
    })
    expect(embeddings.map(({ length }) => length)).toEqual([384, 384, 384])
    expect(Math.hypot(...embeddings[0]!)).toBeCloseTo(1, 5)
    expect(embeddings[2]).toEqual(embeddings[0])
    expect(embeddings[1]).not.toEqual(embeddings[0])
  })

  test('stops the model in mid-stream', async () => {
    const engine = engineOf()
    const numAnswered = () => metric(engine, 'brasa_answers_total{finished_reason="length"}')
    const before = await numAnswered()
    const controller = new AbortController()
    const streamed = streamText({
      model: chatModel(),
      prompt,
      maxOutputTokens: endless.max_tokens,
      providerOptions: { brasa: { ignore_eos: true } },
      abortSignal: controller.signal,
      onError: () => {},
    })
    let numRunning = 0
    for await (const _ of streamed.textStream) {
      if (!controller.signal.aborted) numRunning = await metric(engine, 'brasa_requests_running')
      controller.abort()
    }
    expect(numRunning).toBe(1)
    await untilIdle(engine)
    expect(await numAnswered()).toBe(before)
    const next = await generateText({ model: chatModel(), prompt, temperature: 0 })
    expect(next.text).toBe(capitalAnswer)
  })

  test('throws what the engine refuses', async () => {
    const asked = { model: chatModel(), prompt, maxRetries: 0 }
    await expect(generateText({ ...asked, topP: 2 })).rejects.toMatchObject({ statusCode: 400 })
    const refused = await firstRefusal(100, (abortSignal) =>
      generateText({ ...asked, temperature: 0, abortSignal }),
    )
    expect(APICallError.isInstance(refused)).toBe(true)
    expect(refused).toMatchObject({
      statusCode: 429,
      isRetryable: true,
      responseHeaders: { 'retry-after': expect.stringMatching(/^\d+$/) },
    })
    await untilIdle(engineOf())
  })
}
