import Ajv2020 from 'ajv/dist/2020'
import { expect, test } from 'vitest'
import { BrasaError } from '../../errors.ts'
import { createFakeEngine, type FakeAnswer } from './fake-client.ts'

const documentOf = async () => (await createFakeEngine().engine.fetch('/openapi.json')).json()

const messages = [{ role: 'user', content: 'Hi' }]
const weather = { type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }

test('names every route that answers', async () => {
  const { paths } = (await documentOf()) as { paths: Record<string, object> }
  expect(Object.entries(paths).map(([path, methods]) => `${Object.keys(methods)} ${path}`)).toEqual([
    'post /v1/chat/completions',
    'post /v1/completions',
    'post /v1/responses',
    'post /v1/embeddings',
    'get /v1/models',
    'get /v1/models/{model}',
    'post /tokenize',
    'post /detokenize',
    'get /health',
    'get /metrics',
    'get /openapi.json',
  ])
})

/** The document and the routes must say the same of each. */
test.each([
  ['/v1/chat/completions', { messages }, true],
  ['/v1/chat/completions', { messages, temperature: null, tools: [weather], tool_choice: 'required' }, true],
  ['/v1/chat/completions', { messages, stop: ['a', 'b'], n: 2, logit_bias: { 5: -100 } }, true],
  ['/v1/chat/completions', { messages: [{ role: 'user', content: [{ type: 'text', text: 'a' }] }] }, true],
  ['/v1/chat/completions', { messages: [] }, false],
  ['/v1/chat/completions', { messages, n: 17 }, false],
  ['/v1/chat/completions', { messages, n: 1.5 }, false],
  ['/v1/chat/completions', { messages, temperature: 5.5 }, false],
  ['/v1/chat/completions', { messages, suffix: 'a' }, false],
  ['/v1/chat/completions', { messages, logit_bias: { a: 1 } }, false],
  ['/v1/chat/completions', { messages, tools: [] }, false],
  ['/v1/chat/completions', { messages, response_format: { type: 'xml' } }, false],
  ['/v1/chat/completions', { messages: [{ role: 'tool', content: 'a' }] }, false],
  ['/v1/completions', { prompt: [[97, 98]], echo: true, max_tokens: 0 }, true],
  ['/v1/completions', { prompt: [] }, false],
  ['/v1/completions', {}, false],
  ['/v1/responses', { input: [{ role: 'user', content: 'a' }] }, true],
  ['/v1/responses', { input: 5 }, false],
  ['/tokenize', { prompt: 'a' }, true],
  ['/tokenize', { prompt: 5 }, false],
  ['/tokenize', { messages, tools: [weather], add_generation_prompt: false, model: null }, true],
  ['/tokenize', { messages, prompt: 'a' }, false],
  ['/tokenize', { prompt: 'a', add_generation_prompt: true }, false],
  ['/tokenize', { messages: [] }, false],
  ['/detokenize', { tokens: [97] }, true],
  ['/detokenize', { tokens: [-1] }, false],
])('%s %j: %s', async (path, body, isRight) => {
  const document = (await documentOf()) as { paths: Record<string, { post: PostOperation }> }
  const { schema } = document.paths[path]!.post.requestBody.content['application/json']
  expect(new Ajv2020({ strict: false }).validate(schema, body)).toBe(isRight)
  const init = { method: 'POST', body: JSON.stringify(body) }
  const { status } = await createFakeEngine().engine.fetch(path, init)
  expect(status).toBe(isRight ? 200 : 400)
})

const calls: FakeAnswer = {
  said: [
    { toolCalls: [{ index: 0, id: 'call_1', name: 'weather', arguments: '' }] },
    { toolCalls: [{ index: 0, arguments: '{}' }] },
  ],
  finishReason: 'tool_calls',
}
const thoughtful: FakeAnswer = {
  said: [
    { thought: 'Hm.', tokens: [1] },
    { text: 'Yes', tokens: [2] },
  ],
  finishReason: 'length',
}
const failing = (code: 'queue_full' | 'worker_lost' | 'internal', after?: number): FakeAnswer => ({
  error: { error: new BrasaError(code, { message: 'It failed.' }), ...(after !== undefined && { after }) },
})
const ask = { input: 'Hi' }

/** Requests with what is answered, so that all that is described comes up. */
const answered: readonly [path: string, body: object | undefined, status: number, answer?: FakeAnswer][] = [
  ['/v1/chat/completions', { messages, n: 2, logprobs: true, top_logprobs: 2 }, 200],
  ['/v1/chat/completions', { messages, tools: [weather] }, 200, calls],
  ['/v1/chat/completions', { messages }, 200, thoughtful],
  ['/v1/chat/completions', { messages, stream: true, stream_options: { include_usage: true } }, 200],
  ['/v1/chat/completions', { messages, stream: true, logprobs: true, top_logprobs: 1 }, 200],
  ['/v1/chat/completions', { messages, stream: true, tools: [weather] }, 200, calls],
  ['/v1/chat/completions', { messages, stream: true }, 200, thoughtful],
  ['/v1/chat/completions', { messages, stream: true }, 200, failing('internal', 1)],
  ['/v1/chat/completions', {}, 400],
  ['/v1/chat/completions', { messages, model: 'other' }, 404],
  ['/v1/chat/completions', { messages }, 429, failing('queue_full')],
  ['/v1/chat/completions', { messages }, 503, failing('worker_lost')],
  ['/v1/chat/completions', { messages }, 500, failing('internal')],
  ['/v1/completions', { prompt: 'Hi', echo: true, logprobs: 2 }, 200],
  ['/v1/completions', { prompt: 'Hi', top_logprobs: 1 }, 200],
  ['/v1/completions', { prompt: ['a', 'b'], stream: true, logprobs: 1, echo: true }, 200],
  ['/v1/completions', { prompt: 'Hi', stream: true, stream_options: { include_usage: true } }, 200],
  ['/v1/responses', ask, 200],
  ['/v1/responses', { ...ask, tools: [{ type: 'function', name: 'weather' }] }, 200, calls],
  ['/v1/responses', { ...ask, max_output_tokens: 2, instructions: 'Be brief.' }, 200, thoughtful],
  ['/v1/responses', { ...ask, stream: true }, 200, thoughtful],
  ['/v1/embeddings', { model: 'all-minilm-l6-v2', input: ['a', 'bc'] }, 200],
  ['/v1/embeddings', { model: 'all-minilm-l6-v2', input: 'a', encoding_format: 'base64' }, 200],
  ['/v1/models', undefined, 200],
  ['/v1/models/fake', undefined, 200],
  ['/v1/models/other', undefined, 404],
  ['/tokenize', { prompt: 'Hi' }, 200],
  ['/tokenize', { messages, return_token_strs: true }, 200],
  ['/detokenize', { tokens: [97] }, 200],
  ['/health', undefined, 200],
  ['/metrics', undefined, 200],
  ['/openapi.json', undefined, 200],
]

test('what is answered is what is described', async () => {
  const { paths } = (await documentOf()) as { paths: Record<string, Record<string, Operation>> }
  const ajv = new Ajv2020({ strict: false })
  for (const [path, body, status, answer] of answered) {
    const method = body === undefined ? 'GET' : 'POST'
    const init = { method, ...(body && { body: JSON.stringify(body) }) }
    const response = await createFakeEngine(answer).engine.fetch(path, init)
    const what = `${path} ${JSON.stringify(body)}`
    expect(response.status, what).toBe(status)
    const described = path.replace(/^\/v1\/models\/.*/, '/v1/models/{model}')
    const { responses } = paths[described]![method.toLowerCase()]!
    const { headers, content } = (responses[status] ?? responses.default)!
    for (const name of Object.keys(headers)) expect(response.headers.has(name), `${what} ${name}`).toBe(true)
    const type = response.headers.get('content-type')!
    const { schema } = (content[type] ?? content[type.split(';')[0]!])!
    const text = await response.text()
    const values = type.startsWith('text/event-stream')
      ? text.split('\n\n').flatMap((event) => /^data: (.*)$/m.exec(event)?.[1] ?? [])
      : [type === 'application/json' ? text : JSON.stringify(text)]
    expect(values.length, what).toBeGreaterThan(0)
    const validate = ajv.compile((schema.contentSchema as object) ?? schema)
    for (const value of values) {
      if (value === '[DONE]') continue
      expect(validate(JSON.parse(value)), `${what} ${value} ${JSON.stringify(validate.errors)}`).toBe(true)
    }
  }
})

interface Operation {
  readonly responses: Readonly<Record<string, DescribedResponse>>
}

interface DescribedResponse {
  readonly headers: object
  readonly content: Readonly<Record<string, { readonly schema: { readonly contentSchema?: object } }>>
}

interface PostOperation {
  readonly requestBody: { readonly content: { readonly 'application/json': { readonly schema: object } } }
}
