import { BrasaError, type ChatCompletionRequest } from '@brasa/runtime'
import { expect, test } from 'vitest'
import { type AnswerOptions, defaultAnswerOptions } from './answer-options.ts'
import { type AnswerChange, streamAnswer } from './answer-stream.ts'
import {
  callPieces,
  type FakeAnswer,
  type FakePiece,
  fakeEngine,
  scoredPiece,
} from './fake-engine.test-support.ts'
import { defaultSettings } from './settings.ts'

const question = { role: 'user' as const, content: 'What is 17 times 23?' }

async function answered(
  answer: FakeAnswer,
  options: Partial<AnswerOptions> = {},
  controller = new AbortController(),
) {
  const { engine, requests } = fakeEngine(answer)
  const shown: AnswerChange[] = []
  const ended = await streamAnswer(
    {
      engine,
      messages: [question],
      settings: defaultSettings,
      options: { ...defaultAnswerOptions, ...options },
      signal: controller.signal,
    },
    (change) => shown.push(change),
  )
  return { ended, requests, shown }
}

/** Answers one after another, the last one again and again. */
const inTurn = (...turns: (readonly FakePiece[])[]): FakeAnswer => {
  let turn = 0
  return () => turns[Math.min(turn++, turns.length - 1)]!
}

const tools = { mode: 'tools' as const }

test('with everything off the request asks for nothing more, and nothing more is kept', async () => {
  const { ended, requests } = await answered(() => ['Well.'])
  for (const key of ['logprobs', 'top_logprobs', 'response_format', 'tools', 'tool_choice'])
    expect(requests[0]).not.toHaveProperty(key)
  expect(ended).toEqual({
    content: 'Well.',
    state: 'done',
    stats: { tokens: 1, ttftMs: 310, tokensPerSecond: 0, contextTokens: 81, contextLength: 1000 },
  })
})

test('a tool that is called runs here, and its result is read by the model', async () => {
  const json = '{"expression":"17*23"}'
  const { ended, requests } = await answered(
    inTurn(['Let me see. ', ...callPieces('calculator', json)], ['It is ', '391.']),
    { ...tools, toolChoice: 'required' },
  )
  expect(requests.map((request) => request.tool_choice)).toEqual(['required', 'auto'])
  expect(requests[0]?.tools?.map((tool) => tool.function.name)).toEqual(['calculator', 'clock'])
  const call = { id: expect.any(String), type: 'function', function: { name: 'calculator', arguments: json } }
  expect(requests[1]?.messages).toEqual([
    question,
    { role: 'assistant', content: 'Let me see. ', tool_calls: [call] },
    { role: 'tool', content: '391', tool_call_id: expect.any(String) },
  ])
  expect(ended).toMatchObject({
    content: 'It is 391.',
    state: 'done',
    rounds: [{ content: 'Let me see. ', calls: [{ name: 'calculator', arguments: json, result: '391' }] }],
  })
  // Both rounds: 4 and 2 tokens, the first one of each not among those that are timed.
  expect(ended.stats).toMatchObject({ tokens: 6, ttftMs: 310, contextTokens: 82 })
  expect(ended.stats?.tokensPerSecond).toBeCloseTo(20, 6)
})

test('what goes wrong in a tool is told to the model as text', async () => {
  const { ended, requests } = await answered(
    inTurn(callPieces('calculator', '{"expression":"1/0"}'), ['It cannot be done.']),
    tools,
  )
  expect(requests[1]?.messages.at(-1)).toMatchObject({
    role: 'tool',
    content: 'Error: Nothing can be divided by zero.',
  })
  expect(ended.rounds?.[0]?.calls[0]).toMatchObject({ failed: true })
})

const choices = (requests: readonly ChatCompletionRequest[]) => requests.map((request) => request.tool_choice)

test('a model that calls the same again is asked for words', async () => {
  const same = callPieces('calculator', '{"expression":"1+1"}')
  const { ended, requests } = await answered(
    (request) => (request.tool_choice === 'none' ? ['Two.'] : same),
    tools,
  )
  expect(choices(requests)).toEqual(['auto', 'auto', 'none'])
  expect(ended).toMatchObject({ content: 'Two.', state: 'done' })
})

test('a model that calls for ever is asked for words after four rounds', async () => {
  let numCalls = 0
  const { ended, requests } = await answered(
    (request) =>
      request.tool_choice === 'none'
        ? ['Enough.']
        : callPieces('calculator', `{"expression":"${numCalls++}+1"}`),
    tools,
  )
  expect(choices(requests)).toEqual(['auto', 'auto', 'auto', 'auto', 'none'])
  expect(ended.rounds).toHaveLength(4)
  expect(ended.content).toBe('Enough.')
})

test.each(['before the call ends', 'between two rounds'])('Stop %s keeps what there is', async (when) => {
  const controller = new AbortController()
  const [head, begun, rest] = callPieces('calculator', '{"expression":"2+2"}') as [
    FakePiece,
    FakePiece,
    FakePiece,
  ]
  const { ended, requests } = await answered(
    async function* () {
      yield head
      yield begun
      if (when === 'before the call ends') {
        controller.abort()
        return
      }
      yield rest
      setTimeout(() => controller.abort())
    },
    tools,
    controller,
  )
  expect(requests).toHaveLength(1)
  expect(ended.state).toBe('stopped')
  const [call] = ended.rounds?.[0]?.calls ?? []
  expect(call?.result).toBe(when === 'between two rounds' ? '4' : undefined)
})

test('an answer that fails keeps its words and says why', async () => {
  const { ended } = await answered(async function* () {
    yield 'Half'
    throw new BrasaError('device_lost', { message: 'The GPU was lost.' })
  })
  expect(ended).toMatchObject({
    content: 'Half',
    state: 'failed',
    failure: { code: 'device_lost', message: 'The GPU was lost.' },
  })
})

test('probabilities are kept flat and short; characters that are spread over tokens come with their last', async () => {
  const euro = [...new TextEncoder().encode('€')]
  const part = (bytes: readonly number[]): FakePiece => ({
    delta: { content: '' },
    logprobs: { content: [{ token: '\ufffd', tokenId: 2, logprob: 0, bytes, top_logprobs: [] }] },
  })
  const { ended, requests } = await answered(
    () => [
      scoredPiece('Paris', 0.87654321, [
        ['Paris', 0.87654321],
        ['Lyon', 0.1],
      ]),
      part(euro.slice(0, 2)),
      part(euro.slice(2)),
      scoredPiece('.', 0),
    ],
    { keepProbabilities: true },
  )
  expect(requests[0]).toMatchObject({ logprobs: true, top_logprobs: 5 })
  expect(ended.probabilities).toEqual([
    ['Paris', 0.8765, 'Paris', 0.8765, 'Lyon', 0.1],
    ['', 1],
    ['€', 1],
    ['.', 0],
  ])
})

test('JSON is asked for by its schema, or as any object', async () => {
  const { requests } = await answered(() => ['{}'], { mode: 'json', schema: ' {"type":"object"} ' })
  expect(requests[0]?.response_format).toEqual({
    type: 'json_schema',
    json_schema: { name: 'answer', schema: { type: 'object' }, strict: true },
  })
  const any = await answered(() => ['{}'], { mode: 'json' })
  expect(any.requests[0]?.response_format).toEqual({ type: 'json_object' })
  expect(any.requests[0]).not.toHaveProperty('tools')
})
