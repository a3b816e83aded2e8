/** One line of the list: what the engine's own openapi.json names. */
export interface Endpoint {
  readonly method: 'GET' | 'POST'
  readonly path: string
}

interface OpenApiDocument {
  readonly paths?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

/** The endpoints of an OpenAPI document, in its order. */
export function endpointsOf(document: OpenApiDocument): readonly Endpoint[] {
  return Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
    (['get', 'post'] as const)
      .filter((method) => method in methods)
      .map((method) => ({ method: method === 'get' ? ('GET' as const) : ('POST' as const), path })),
  )
}

/** What is sent: a body only where there is one to send. */
export interface ApiRequest extends Endpoint {
  readonly body: string
}

/** The request an endpoint begins with. */
export function requestTo({ method, path }: Endpoint, modelId: string): ApiRequest {
  const known = examples.find((example) => example.method === method && example.path === path)
  const address = path.replace('{model}', encodeURIComponent(modelId))
  if (known !== undefined) return { method, path: address, body: bodyOf(known, modelId) }
  return { method, path: address, body: method === 'POST' ? '{}' : '' }
}

export type ExampleId = 'chat' | 'stream' | 'tools' | 'schema' | 'embeddings' | 'models' | 'tokenize'

export interface Example extends Endpoint {
  readonly id?: ExampleId
  readonly body?: object
}

const ask = (content: string) => [{ role: 'user', content }]

/** Requests to begin with; those without an id stand for the rest of the list. */
export const examples: readonly Example[] = [
  {
    id: 'chat',
    method: 'POST',
    path: '/v1/chat/completions',
    body: { messages: ask('What is the capital of France?'), temperature: 0, max_tokens: 64 },
  },
  {
    id: 'stream',
    method: 'POST',
    path: '/v1/chat/completions',
    body: {
      messages: ask('Tell me a short story about a lighthouse.'),
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: 256,
    },
  },
  {
    id: 'tools',
    method: 'POST',
    path: '/v1/chat/completions',
    body: {
      messages: ask('What is the weather in Lisbon?'),
      tools: [
        {
          type: 'function',
          function: {
            name: 'weather',
            description: 'The weather in a city.',
            parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
          },
        },
      ],
      tool_choice: 'required',
      temperature: 0,
      max_tokens: 64,
    },
  },
  {
    id: 'schema',
    method: 'POST',
    path: '/v1/chat/completions',
    body: {
      messages: ask('Name a colour and its hex code.'),
      response_format: {
        type: 'json_schema',
        json_schema: {
          name: 'colour',
          schema: {
            type: 'object',
            properties: {
              name: { type: 'string', maxLength: 20 },
              hex: { type: 'string', pattern: '^#[0-9a-f]{6}$' },
            },
            required: ['name', 'hex'],
            additionalProperties: false,
          },
        },
      },
      temperature: 0,
      max_tokens: 64,
    },
  },
  {
    id: 'embeddings',
    method: 'POST',
    path: '/v1/embeddings',
    body: { model: 'all-minilm-l6-v2', input: ['salt', 'rope'] },
  },
  { id: 'models', method: 'GET', path: '/v1/models' },
  { id: 'tokenize', method: 'POST', path: '/tokenize', body: { prompt: 'The sea is calm.' } },
  { method: 'POST', path: '/v1/completions', body: { prompt: 'Once upon a time', max_tokens: 32 } },
  { method: 'POST', path: '/v1/responses', body: { input: 'Name three rivers.', max_output_tokens: 64 } },
  { method: 'POST', path: '/detokenize', body: { tokens: [504, 6117] } },
]

/** Chats and completions name the model, as clients written for the API do. */
function bodyOf({ path, body }: Example, modelId: string): string {
  if (body === undefined) return ''
  const named = path.startsWith('/v1/') && !('model' in body) ? { model: modelId, ...body } : body
  return JSON.stringify(named, null, 2)
}

export const exampleRequest = (example: Example, modelId: string): ApiRequest => ({
  method: example.method,
  path: example.path,
  body: bodyOf(example, modelId),
})
