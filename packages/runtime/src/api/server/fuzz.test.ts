import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createFakeEngine } from './fake-client.ts'
import { requestSchemas } from './openapi.ts'

const numRequests = 20_000
const mostMs = 10_000

/** Requests that are right, to be spoilt. */
const right: Readonly<Record<string, Record<string, unknown>>> = {
  '/v1/chat/completions': {
    messages: [{ role: 'user', content: 'Hi' }],
    tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }],
    stop: ['a'],
    logit_bias: { 5: 1 },
  },
  '/v1/completions': { prompt: 'Hi', logprobs: 1, echo: true, max_tokens: 3 },
  '/v1/responses': { input: [{ role: 'user', content: [{ type: 'input_text', text: 'Hi' }] }] },
  '/v1/embeddings': { model: 'Not/One', input: 'Hi' },
  '/tokenize': { prompt: 'Hi' },
  '/detokenize': { tokens: [97] },
}

const paths = Object.keys(right)
const wild = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.constantFrom(
    Number.MAX_VALUE,
    -0,
    2 ** 53,
    1e-320,
    '\ud800',
    '\u0000',
    '__proto__',
    [],
    {},
    [[]],
    [null],
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.double({ noNaN: true }),
  fc.boolean(),
)
const fieldOf = (path: string) =>
  fc.constantFrom(...Object.keys((requestSchemas[path] as unknown as { entries: object }).entries))

/** A right request with a few of its fields, deep ones too, put to something else. */
const spoilt = fc.constantFrom(...paths).chain((path) =>
  fc
    .array(fc.tuple(fc.oneof(fieldOf(path), fc.string({ maxLength: 8 })), wild, fc.boolean()), {
      maxLength: 4,
    })
    .map((changes) => {
      const body = structuredClone(right[path])!
      for (const [name, value, isDeep] of changes) {
        const inner = body[name]
        if (isDeep && Array.isArray(inner) && typeof inner[0] === 'object')
          Object.assign(inner[0] ?? {}, { value })
        Object.defineProperty(body, name, { value, enumerable: true, writable: true, configurable: true })
      }
      return { path, text: JSON.stringify(body) }
    }),
)
const cut = fc.tuple(spoilt, fc.nat(200)).map(([{ path, text }, at]) => ({ path, text: text.slice(0, at) }))
const request = fc.oneof(
  { weight: 8, arbitrary: spoilt },
  { weight: 1, arbitrary: cut },
  { weight: 1, arbitrary: fc.record({ path: fc.webPath(), text: fc.string({ maxLength: 100 }) }) },
)

test('no request of 20,000 is a 500 or hangs', async () => {
  const { engine, state } = createFakeEngine({ said: [{ text: 'a', tokens: [97] }] })
  const statuses = new Map<number, number>()
  await fc.assert(
    fc.asyncProperty(request, async ({ path, text }) => {
      const start = performance.now()
      const response = await engine.fetch(`https://example.org${path}`, { method: 'POST', body: text })
      const body = await response.text()
      expect(performance.now() - start).toBeLessThan(mostMs)
      expect([200, 400, 404, 405], body).toContain(response.status)
      if (response.status >= 400) expect(JSON.parse(body)).toHaveProperty('error.message')
      else expect(body).not.toContain('"error":{')
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1)
    }),
    { numRuns: numRequests },
  )
  expect(state.numRunning).toBe(0)
  // Right ones are among them, or nothing would be tested behind the checks.
  expect(statuses.get(200)).toBeGreaterThan(numRequests / 20)
}, 120_000)

test.each([
  ['deep lists', `{"messages":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
  [
    'a deep schema',
    `{"messages":[{"role":"user","content":"a"}],"response_format":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}}`,
  ],
  [
    'many messages',
    JSON.stringify({ messages: Array.from({ length: 50_000 }, () => ({ role: 'user', content: 'a' })) }),
  ],
  ['a long wrong name', JSON.stringify({ messages: [{ role: 'user', content: 'a' }], ['x'.repeat(1e6)]: 1 })],
  [
    'many biases',
    JSON.stringify({
      messages: [],
      logit_bias: Object.fromEntries(Array.from({ length: 1e5 }, (_, id) => [id, 1])),
    }),
  ],
])('%s are answered or refused, and soon', async (_, body) => {
  const start = performance.now()
  const response = await createFakeEngine().engine.fetch('/v1/chat/completions', { method: 'POST', body })
  const text = await response.text()
  expect([200, 400]).toContain(response.status)
  expect(text.length).toBeLessThan(2000)
  expect(performance.now() - start).toBeLessThan(mostMs)
})
