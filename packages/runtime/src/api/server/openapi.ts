import type * as v from 'valibot'
import { chatRequestSchema } from '../chat-request.ts'
import { completionRequestSchema } from '../completion-request.ts'
import { responseRequestSchema } from '../response-request.ts'
import { embeddingRequestSchema } from './embedding-route.ts'
import { type JsonSchema, jsonSchema } from './json-schema.ts'
import { detokenizeRequestSchema, tokenizeRequestSchema } from './token-routes.ts'

/** The requests that have a body, by the schemas that check them. */
export const requestSchemas: Readonly<Record<string, v.GenericSchema>> = {
  '/v1/chat/completions': chatRequestSchema,
  '/v1/completions': completionRequestSchema,
  '/v1/responses': responseRequestSchema,
  '/v1/embeddings': embeddingRequestSchema,
  '/tokenize': tokenizeRequestSchema,
  '/detokenize': detokenizeRequestSchema,
}

const errorSchema = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['message', 'type', 'param', 'code'],
      properties: {
        message: { type: 'string' },
        type: { type: 'string' },
        param: { type: ['string', 'null'] },
        code: { type: ['string', 'null'] },
      },
    },
  },
}

const responses = {
  200: { description: 'As asked for; server-sent events where "stream" is true.' },
  default: {
    description: 'What is wrong, and what to do.',
    content: { 'application/json': { schema: errorSchema } },
  },
}

/** OpenAPI 3.1 of these routes. What is null at the top of a request counts as left out. */
export function openApi(paths: readonly string[]): JsonSchema {
  return {
    openapi: '3.1.0',
    info: { title: 'Brasa', version: '0.1.0', description: "OpenAI's API, answered in the page." },
    paths: Object.fromEntries(paths.map((path) => [path.replace('*', '{model}'), operations(path)])),
  }
}

function operations(path: string): JsonSchema {
  const schema = requestSchemas[path]
  if (schema === undefined) {
    const parameter = { name: 'model', in: 'path', required: true, schema: { type: 'string' } }
    return { get: { ...(path.endsWith('*') && { parameters: [parameter] }), responses } }
  }
  const content = { 'application/json': { schema: orNull(jsonSchema(schema)) } }
  return { post: { requestBody: { required: true, content }, responses } }
}

function orNull(schema: JsonSchema): JsonSchema {
  const required = new Set(schema.required as string[] | undefined)
  const properties = Object.entries(schema.properties as Record<string, JsonSchema>).map(
    ([name, property]) => [name, required.has(name) ? property : { anyOf: [property, { type: 'null' }] }],
  )
  return { ...schema, properties: Object.fromEntries(properties) }
}
