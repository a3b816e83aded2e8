import type * as v from 'valibot'
import { chatRequestSchema } from '../chat-request.ts'
import { completionRequestSchema } from '../completion-request.ts'
import { responseRequestSchema } from '../response-request.ts'
import { embeddingRequestSchema } from './embedding-route.ts'
import { type JsonSchema, jsonSchema } from './json-schema.ts'
import { answerSchemas, errorSchema } from './response-schemas.ts'
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

const header = (description: string, schema: JsonSchema) => ({ description, schema })
const requestId = {
  'x-request-id': header("The request's own where it is one, else made here.", { type: 'string' }),
}
const retryHeaders = {
  ...requestId,
  'retry-after': header('Seconds to wait before asking again.', { type: 'integer', minimum: 1 }),
  'retry-after-ms': header('The same in milliseconds.', { type: 'integer', minimum: 1 }),
}

const refusal = (description: string, headers: JsonSchema = requestId) => ({
  description,
  headers,
  content: { 'application/json': { schema: errorSchema } },
})

/** Of any route, and of those that a model answers. */
const refusals = {
  400: refusal('The request is wrong, or too long for the context.'),
  503: refusal(
    'The GPU, the worker or the network is lost; the next request may find it well.',
    retryHeaders,
  ),
  default: refusal('What is wrong, and what to do.'),
}
const waitRefusal = { 429: refusal('Too many requests wait.', retryHeaders) }
const nameRefusal = { 404: refusal('Another model is named than the loaded one.') }

function responsesOf(path: string): JsonSchema {
  const { json, event, lastEvent, textType } = answerSchemas[path]!
  const events = {
    type: 'string',
    description: `Server-sent events, where "stream" is true.${lastEvent === undefined ? '' : ` The last one's data is ${lastEvent}.`} Each event's data:`,
    contentMediaType: 'application/json',
    contentSchema: event,
  }
  const content = {
    ...(json && { 'application/json': { schema: json } }),
    ...(event && { 'text/event-stream': { schema: events } }),
    ...(textType !== undefined && { [textType]: { schema: { type: 'string' } } }),
  }
  return {
    200: { description: 'As asked for.', headers: requestId, content },
    ...refusals,
    ...(path.startsWith('/v1/') && nameRefusal),
    ...(event && waitRefusal),
  }
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
  const responses = responsesOf(path)
  if (schema === undefined) {
    const parameter = { name: 'model', in: 'path', required: true, schema: { type: 'string' } }
    return { get: { ...(path.endsWith('*') && { parameters: [parameter] }), responses } }
  }
  const content = { 'application/json': { schema: orNull(jsonSchema(schema)) } }
  return { post: { requestBody: { required: true, content }, responses } }
}

function orNull(schema: JsonSchema): JsonSchema {
  if ('anyOf' in schema) return { anyOf: (schema.anyOf as JsonSchema[]).map(orNull) }
  const required = new Set(schema.required as string[] | undefined)
  const properties = Object.entries(schema.properties as Record<string, JsonSchema>).map(
    ([name, property]) => [name, required.has(name) ? property : { anyOf: [property, { type: 'null' }] }],
  )
  return { ...schema, properties: Object.fromEntries(properties) }
}
