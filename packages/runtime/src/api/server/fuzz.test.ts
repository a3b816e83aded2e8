import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createFakeEngine } from './fake-client.ts'
import { fuzzRequest } from './fuzz-requests.test-support.ts'

const numRequests = 20_000
const mostMs = 1000

/** Asks, and again where it took too long: another program may have held it up, once or twice. */
async function answered(fetch: typeof globalThis.fetch, path: string, body: string) {
  for (let attempt = 1; ; attempt++) {
    const startMs = performance.now()
    const response = await fetch(`https://example.org${path}`, { method: 'POST', body })
    const text = await response.text()
    const tookMs = performance.now() - startMs
    if (tookMs < mostMs) return { status: response.status, text }
    if (attempt === 3) throw new Error(`Took ${tookMs} ms: ${path} ${body.slice(0, 500)}`)
  }
}

test('no request of 20,000 is a 500 or hangs', async () => {
  const { engine, state } = createFakeEngine({ said: [{ text: 'a', tokens: [97] }] })
  const statuses = new Map<number, number>()
  await fc.assert(
    fc.asyncProperty(fuzzRequest, async ({ path, text: body }) => {
      const { status, text } = await answered(engine.fetch, path, body)
      expect([200, 400, 404, 405], text).toContain(status)
      if (status >= 400) expect(JSON.parse(text)).toHaveProperty('error.message')
      else expect(text).not.toContain('"error":{')
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }),
    { numRuns: numRequests, seed: 9 },
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
  const { status, text } = await answered(createFakeEngine().engine.fetch, '/v1/chat/completions', body)
  expect([200, 400]).toContain(status)
  expect(text.length).toBeLessThan(2000)
})
