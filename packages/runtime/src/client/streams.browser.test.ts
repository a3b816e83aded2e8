import { afterAll, beforeAll, expect, test } from 'vitest'
import type { GenerateRequest } from '../protocol.ts'
import { parseGenerationParameters } from '../sampling/parameters.ts'
import { type AnswerEvent, createEngineClient, type EngineClient } from './engine-client.ts'

let client: EngineClient

beforeAll(async () => {
  client = await createEngineClient({
    request: {
      model: '/models/smollm2-135m-instruct/manifest.json',
      backend: 'wasm',
      contextLength: 512,
      catalogueUrl: new URL('/models/models.json', location.href).href,
      baseUrl: location.href,
    },
  })
}, 120_000)
afterAll(() => client?.dispose())

const never = new AbortController().signal

const ask = (content: string, numAnswers = 1): GenerateRequest => ({
  input: { messages: [{ role: 'user', content }] },
  settings: {
    ...parseGenerationParameters({ temperature: 0, max_tokens: 16, ignore_eos: true }),
    numAnswers,
  },
})

async function read(request: GenerateRequest, onEvent = (_: AnswerEvent) => {}, signal = never) {
  const tokens = Array.from({ length: request.settings.numAnswers ?? 1 }, () => [] as number[])
  let cached = 0
  for await (const event of client.generate(request, signal)) {
    onEvent(event)
    if (event.type === 'tokens') tokens[event.answer ?? 0]!.push(...event.tokens)
    if (event.type === 'done') cached = event.usage.prompt_tokens_details.cached_tokens
  }
  return { tokens, cached }
}

test('three streams of the real model progress side by side, one that is stopped leaves them, and none changes another', async () => {
  const prompts = ['Name a colour.', 'What is 2 + 2?', 'Who wrote Hamlet?']
  const order: number[] = []
  const controller = new AbortController()
  const stopped = read(
    ask('Tell a long story.'),
    (event) => event.type === 'tokens' && controller.abort(),
    controller.signal,
  )
  const together = await Promise.all(
    prompts.map((prompt, index) =>
      read(ask(prompt), (event) => event.type === 'tokens' && order.push(index)),
    ),
  )
  expect((await stopped).tokens[0]!.length).toBeLessThan(16)
  for (const stream of [0, 1, 2]) {
    expect(order.indexOf(stream)).toBeLessThan(order.lastIndexOf((stream + 1) % 3))
    expect(together[stream]!.tokens[0]).toHaveLength(16)
  }
  for (const [index, prompt] of prompts.entries()) {
    expect((await read(ask(prompt))).tokens).toEqual(together[index]!.tokens)
  }
}, 60_000)

test('several greedy answers to one prompt are the same, and its prefix is not computed again', async () => {
  const several = await read(ask('Name a fruit.', 3))
  expect(several.tokens).toHaveLength(3)
  expect(several.tokens[1]).toEqual(several.tokens[0])
  expect(several.tokens[2]).toEqual(several.tokens[0])
  const again = await read(ask('Name a fruit.'))
  expect(again.tokens[0]).toEqual(several.tokens[0])
  expect(again.cached).toBeGreaterThan(10)
}, 60_000)
