import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ApiRequest, exampleRequest, examples } from './endpoints.ts'
import { addressOf, codeOf, sourceOf, type Way } from './request-code.ts'

const worker: Way = { kind: 'worker', baseUrl: 'https://example.com/app/v1' }
const engine: Way = { kind: 'engine', baseUrl: 'https://brasa.invalid/v1' }

const chat: ApiRequest = {
  method: 'POST',
  path: '/v1/chat/completions',
  body: JSON.stringify({ model: 'small', messages: [{ role: 'user', content: "What's up?" }] }, null, 2),
}
const streamed = { ...chat, body: '{"messages":[],"stream":true}' }

describe('curl', () => {
  test('quotes the body for a shell', () => {
    const code = codeOf('curl', { ...chat, body: `{"prompt":"it's $HOME"}` }, worker)
    expect(code).toBe(`curl 'https://example.com/app/v1/chat/completions' \\
  -H 'Content-Type: application/json' \\
  -d '{"prompt":"it'\\''s $HOME"}'`)
  })

  test('does not buffer a stream, and sends no body where there is none', () => {
    expect(codeOf('curl', streamed, worker)).toMatch(/^curl -N /)
    expect(codeOf('curl', { method: 'GET', path: '/v1/models', body: '' }, worker)).toBe(
      "curl 'https://example.com/app/v1/models'",
    )
  })
})

describe('fetch', () => {
  test('goes by the address through the service worker, by the engine without one', () => {
    expect(
      codeOf('fetch', chat, worker),
    ).toBe(`const response = await fetch('https://example.com/app/v1/chat/completions', {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify({
    model: 'small',
    messages: [{ role: 'user', content: 'What\\'s up?' }],
  }),
})
console.log(await response.json())`)
    expect(codeOf('fetch', chat, engine)).toContain(
      "engine.fetch('https://brasa.invalid/v1/chat/completions'",
    )
  })

  test('sends what is no JSON as it is, and reads metrics as text', () => {
    expect(codeOf('fetch', { ...chat, body: "{'" }, engine)).toContain("body: '{\\'',")
    expect(codeOf('fetch', { method: 'GET', path: '/metrics', body: '' }, engine)).toContain('.text()')
  })
})

describe('openai', () => {
  test('gives the client the engine where there is no service worker', () => {
    expect(codeOf('openai', chat, engine)).toBe(`import OpenAI from 'openai'

const openai = new OpenAI({
  baseURL: 'https://brasa.invalid/v1',
  apiKey: 'none',
  fetch: engine.fetch,
  dangerouslyAllowBrowser: true,
})
console.log(await openai.chat.completions.create({
  model: 'small',
  messages: [{ role: 'user', content: 'What\\'s up?' }],
}))`)
    expect(codeOf('openai', chat, worker)).not.toContain('engine.fetch')
  })

  test.each([
    [streamed, 'const stream = await openai.chat.completions.create({ messages: [], stream: true })'],
    [{ method: 'POST', path: '/v1/responses', body: '{"input":"a"}' } as const, 'openai.responses.create('],
    [{ method: 'GET', path: '/v1/models', body: '' } as const, 'openai.models.list()'],
    [{ method: 'GET', path: '/v1/models/a%2Fb', body: '' } as const, "openai.models.retrieve('a/b')"],
  ])('knows the call for %j', (request, call) => {
    expect(codeOf('openai', request, engine)).toContain(call)
  })

  test('has no call for what is not OpenAI\u2019s, nor for what is no JSON', () => {
    expect(codeOf('openai', { method: 'POST', path: '/tokenize', body: '{}' }, engine)).toBeUndefined()
    expect(codeOf('openai', { ...chat, body: '{' }, engine)).toBeUndefined()
  })
})

test('what is not below /v1 stands beside it', () => {
  expect(addressOf('/tokenize', worker)).toBe('https://example.com/app/tokenize')
  expect(addressOf('v1/models', worker)).toBe('https://example.com/app/v1/models')
})

test('any JSON written as source is that JSON again', () => {
  const evaluate = (source: string) => new Function(`return (${source})`)() as unknown
  fc.assert(
    fc.property(fc.json(), (json) => {
      const value = JSON.parse(json) as unknown
      expect(JSON.stringify(evaluate(sourceOf(value)))).toBe(JSON.stringify(value))
    }),
  )
  for (const json of ['{"__proto__":1}', '"it\'s \\"\\\\\\" \u2028"', '{"a-b":[{}],"c":[]}']) {
    expect(JSON.stringify(evaluate(sourceOf(JSON.parse(json))))).toBe(JSON.stringify(JSON.parse(json)))
  }
})

test('every example is a request with a body that is JSON, or none', () => {
  for (const example of examples) {
    const { method, body } = exampleRequest(example, 'small')
    if (method === 'GET') expect(body).toBe('')
    else expect(typeof JSON.parse(body)).toBe('object')
  }
})
