import Ajv2020 from 'ajv/dist/2020'
import { expect, test } from 'vitest'
import { createFakeEngine } from './fake-client.ts'

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

interface PostOperation {
  readonly requestBody: { readonly content: { readonly 'application/json': { readonly schema: object } } }
}
