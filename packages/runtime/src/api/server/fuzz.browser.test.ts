// Requests at random to the whole engine, its worker, its scheduler and its grammars, with a tiny model of random weights.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { tinyModelFile } from '../../backends/reference/tiny-model-file.ts'
import { createEngine } from '../../index.ts'
import { metric, untilIdle } from '../openai-client.test-support.ts'
import { fuzzRequest } from './fuzz-requests.test-support.ts'

const numRequests = 1200
/** Requests under way at a time: more than run, fewer than are refused. */
const numAtOnce = 12
/** Far longer than any takes. */
const hangMs = 30_000

const template = '{% for message in messages %}{{ message.content }}\n{% endfor %}'

const schemaFormat = (schema: object) => ({ type: 'json_schema', json_schema: { name: 'x', schema } })
/** Settings that go together. */
const settings = fc.record(
  {
    stream: fc.boolean(),
    n: fc.integer({ min: 1, max: 3 }),
    max_tokens: fc.integer({ min: 1, max: 40 }),
    temperature: fc.constantFrom(0, 0.7, 2),
    top_k: fc.integer({ min: 0, max: 9 }),
    min_p: fc.constantFrom(0, 0.2),
    repetition_penalty: fc.constantFrom(0.5, 1.5),
    presence_penalty: fc.constantFrom(-2, 1),
    seed: fc.nat(),
    stop: fc.constantFrom('a', ['xy', '!']),
    ignore_eos: fc.boolean(),
    response_format: fc.constantFrom<object>(
      { type: 'regex', pattern: '[a-z]{2,20}' },
      { type: 'regex', pattern: '((' },
      { type: 'grammar', grammar: 'root ::= "a" root | "!"' },
      { type: 'grammar', grammar: 'root ::= nothing' },
      { type: 'json_object' },
      schemaFormat({ type: 'object', properties: { a: { type: 'integer' }, b: { enum: ['x', 'y'] } } }),
      schemaFormat({ type: 'string', pattern: '(' }),
    ),
  },
  { requiredKeys: ['max_tokens'] },
)
const tools = [
  {
    type: 'function',
    function: { name: 'f', parameters: { type: 'object', properties: { a: { type: 'boolean' } } } },
  },
]
const right = fc.oneof(
  fc.tuple(settings, fc.string({ maxLength: 30 })).map(([given, prompt]) => ({
    path: '/v1/completions',
    text: JSON.stringify({ prompt: `p${prompt}`, ...given }),
  })),
  fc.tuple(settings, fc.boolean()).map(([given, hasTools]) => ({
    path: '/v1/chat/completions',
    text: JSON.stringify({
      messages: [{ role: 'user', content: 'Hi' }],
      ...given,
      ...(hasTools && { tools, response_format: undefined, tool_choice: 'required' }),
    }),
  })),
  fc.string({ minLength: 2, maxLength: 60 }).map((prompt) => ({
    path: '/v1/completions',
    text: JSON.stringify({ prompt: `p${prompt}`, echo: true, max_tokens: 0, logprobs: 2 }),
  })),
)
const visit = fc.record({
  request: fc.oneof({ weight: 3, arbitrary: right }, { weight: 1, arbitrary: fuzzRequest }),
  /** How the answer is left, if it is. */
  way: fc.constantFrom('stays', 'stays', 'aborts', 'reads in part'),
  afterMs: fc.integer({ min: 0, max: 30 }),
  numReads: fc.integer({ min: 0, max: 3 }),
})

type Visit = typeof visit extends fc.Arbitrary<infer Value> ? Value : never

test('1,200 requests at random, read or left: no 500, no hang, and the engine answers as it did', async () => {
  const engine = await createEngine({
    model: tinyModelFile('fuzzed.gguf', { 'tokenizer.chat_template': template }),
    backend: 'wasm',
  })
  const ask = (path: string, body: string, signal?: AbortSignal) =>
    engine.fetch(`https://example.org${path}`, { method: 'POST', body, ...(signal && { signal }) })
  const greedy = JSON.stringify({ prompt: 'Once', max_tokens: 30, temperature: 0, ignore_eos: true })
  const textOf = async (response: Response) =>
    ((await response.json()) as { choices: { text: string }[] }).choices[0]!.text
  const expected = await textOf(await ask('/v1/completions', greedy))

  const statuses = new Map<number, number>()
  const numLeft = { abort: 0, part: 0 }
  async function one({ request: { path, text }, way, afterMs, numReads }: Visit) {
    const controller = new AbortController()
    if (way === 'aborts') setTimeout(() => controller.abort(), afterMs)
    try {
      const response = await ask(path, text, controller.signal)
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1)
      if (response.status >= 500 || response.status === 429)
        throw new Error(`${response.status} ${await response.text()} to ${path} ${text}`)
      if (way !== 'reads in part') return void (await response.text())
      const reader = response.body!.getReader()
      for (let read = 0; read < numReads; read++) await reader.read()
      await reader.cancel()
      numLeft.part++
    } catch (error) {
      // Chromium's own words where a body that is read whole is aborted.
      const isLeft = (error as Error).name === 'AbortError' || (error as Error).message === 'Failed to fetch'
      if (!controller.signal.aborted || !isLeft) throw error
      numLeft.abort++
    }
  }
  const inTime = (visited: Visit) =>
    Promise.race([
      one(visited),
      new Promise<void>((_, reject) =>
        setTimeout(() => reject(new Error(`No end of ${JSON.stringify(visited)}`)), hangMs),
      ),
    ])

  const visits = fc.sample(visit, { numRuns: numRequests, seed: 7 })
  const work = visits.values()
  await Promise.all(
    Array.from({ length: numAtOnce }, async () => {
      for (const visited of work) await inTime(visited)
    }),
  )
  expect(statuses.get(200)).toBeGreaterThan(numRequests / 3)
  expect(statuses.get(400)).toBeGreaterThan(numRequests / 20)
  expect(numLeft.abort).toBeGreaterThan(20)
  expect(numLeft.part).toBeGreaterThan(100)

  await untilIdle(engine)
  expect(await (await engine.fetch('/health')).json()).toMatchObject({ status: 'ok' })
  expect(await textOf(await ask('/v1/completions', greedy))).toBe(expected)
  expect(await metric(engine, 'brasa_kv_cache_bytes')).toBeGreaterThan(0)
  await engine.dispose()
}, 120_000)
