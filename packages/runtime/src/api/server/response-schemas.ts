import type { JsonSchema } from './json-schema.ts'

/** What routes answer with, in JSON schema's words: objects with these properties and no others. */
const text = { type: 'string' }
const number = { type: 'number' }
const count = { type: 'integer', minimum: 0 }
const integers = { type: 'array', items: count }
const constant = (value: unknown) => ({ const: value })
const oneOf = (...values: readonly unknown[]) => ({ enum: values })
const list = (items: JsonSchema) => ({ type: 'array', items })
const orNull = (schema: JsonSchema) => ({ anyOf: [schema, { type: 'null' }] })

function object(
  properties: Readonly<Record<string, JsonSchema>>,
  optional: Readonly<Record<string, JsonSchema>> = {},
): JsonSchema {
  return {
    type: 'object',
    properties: { ...properties, ...optional },
    required: Object.keys(properties),
    additionalProperties: false,
  }
}

export const errorSchema = object({
  error: object({
    message: text,
    type: text,
    param: { type: ['string', 'null'] },
    code: { type: ['string', 'null'] },
  }),
})

const usage = object({
  prompt_tokens: count,
  completion_tokens: count,
  total_tokens: count,
  prompt_tokens_details: object({ cached_tokens: count }),
})
const timings = object({
  ttftMs: number,
  prefillTokensPerSecond: number,
  decodeTokensPerSecond: number,
})
const finishReason = oneOf('stop', 'length', 'tool_calls', 'abort')
const scored = { token: text, logprob: number, bytes: integers, tokenId: count }
const chatLogprobs = { content: list(object({ ...scored, top_logprobs: list(object(scored)) })) }
const legacyLogprobs = {
  tokens: list(text),
  token_logprobs: list({ type: ['number', 'null'] }),
  top_logprobs: list(orNull({ type: 'object', additionalProperties: number })),
  text_offset: integers,
}
const toolCall = object({
  id: text,
  type: constant('function'),
  function: object({ name: text, arguments: text }),
})

const answer = (kind: string) => ({ id: text, object: constant(kind), created: count, model: text })
const chatCompletion = object({
  ...answer('chat.completion'),
  choices: list(
    object({
      index: count,
      message: object(
        { role: constant('assistant'), content: { type: ['string', 'null'] }, refusal: constant(null) },
        { reasoning_content: text, tool_calls: list(toolCall) },
      ),
      finish_reason: finishReason,
      logprobs: orNull(object(chatLogprobs)),
    }),
  ),
  usage,
  timings,
})
const chatChunk = object(
  {
    ...answer('chat.completion.chunk'),
    choices: list(
      object({
        index: count,
        delta: object(
          {},
          {
            role: constant('assistant'),
            content: text,
            reasoning_content: text,
            tool_calls: list(
              object(
                { index: count, function: object({}, { name: text, arguments: text }) },
                { id: text, type: constant('function') },
              ),
            ),
          },
        ),
        finish_reason: orNull(finishReason),
        logprobs: orNull(object(chatLogprobs)),
      }),
    ),
  },
  { usage: orNull(usage), timings },
)

const textChoice = (finish_reason: JsonSchema) =>
  object({
    index: count,
    text,
    tokens: integers,
    finish_reason,
    logprobs: orNull({ anyOf: [object(legacyLogprobs), object(chatLogprobs)] }),
  })
const completion = object({
  ...answer('text_completion'),
  choices: list(textChoice(finishReason)),
  usage,
  timings,
})
const completionChunk = object(
  { ...answer('text_completion'), choices: list(textChoice(orNull(finishReason))) },
  { usage: orNull(usage), timings },
)

const status = oneOf('in_progress', 'completed', 'incomplete')
const message = object({
  type: constant('message'),
  id: text,
  role: constant('assistant'),
  status,
  content: list(object({ type: constant('output_text'), text, annotations: { type: 'array', maxItems: 0 } })),
})
const call = object({
  type: constant('function_call'),
  id: text,
  call_id: text,
  name: text,
  arguments: text,
  status,
})
const thought = object({
  type: constant('reasoning'),
  id: text,
  summary: { type: 'array', maxItems: 0 },
  content: list(object({ type: constant('reasoning_text'), text })),
})
const response = object({
  id: text,
  object: constant('response'),
  created_at: count,
  status,
  model: text,
  output: list({ anyOf: [message, call, thought] }),
  error: constant(null),
  incomplete_details: orNull(object({ reason: constant('max_output_tokens') })),
  instructions: orNull(text),
  max_output_tokens: orNull(count),
  metadata: { type: 'object', additionalProperties: text },
  parallel_tool_calls: { type: 'boolean' },
  tool_choice: {},
  tools: list({ type: 'object' }),
  temperature: number,
  top_p: number,
  store: constant(false),
  usage: orNull(
    object({
      input_tokens: count,
      input_tokens_details: object({ cached_tokens: count }),
      output_tokens: count,
      output_tokens_details: object({ reasoning_tokens: count }),
      total_tokens: count,
    }),
  ),
})
const responseEvent = {
  type: 'object',
  properties: { type: text, sequence_number: count },
  required: ['type', 'sequence_number'],
}

const model = object({
  id: text,
  object: constant('model'),
  created: count,
  owned_by: text,
  max_model_len: count,
})
const embeddings = object({
  object: constant('list'),
  model: text,
  data: list(
    object({
      object: constant('embedding'),
      index: count,
      embedding: { anyOf: [list(number), { type: 'string', contentEncoding: 'base64' }] },
    }),
  ),
  usage: object({ prompt_tokens: count, total_tokens: count }),
})

/** Of what a route answers with 200. */
export interface AnswerSchemas {
  readonly json?: JsonSchema
  /** Of each event's data, where a stream is asked for. What fails in mid-stream is an event too. */
  readonly event?: JsonSchema
  /** The last event's data, which is no JSON. */
  readonly lastEvent?: string
  /** A text of this type. */
  readonly textType?: string
}

const orError = (schema: JsonSchema) => ({ anyOf: [schema, errorSchema] })

/** By path, as the router has it. */
export const answerSchemas: Readonly<Record<string, AnswerSchemas>> = {
  '/v1/chat/completions': { json: chatCompletion, event: orError(chatChunk), lastEvent: '[DONE]' },
  '/v1/completions': { json: completion, event: orError(completionChunk), lastEvent: '[DONE]' },
  '/v1/responses': { json: response, event: orError(responseEvent) },
  '/v1/embeddings': { json: embeddings },
  '/v1/models': { json: object({ object: constant('list'), data: list(model) }) },
  '/v1/models/*': { json: model },
  '/tokenize': {
    json: object({ count, max_model_len: count, tokens: integers, token_strs: orNull(list(text)) }),
  },
  '/detokenize': { json: object({ prompt: text }) },
  '/health': { json: object({ status: constant('ok'), model: text, backend: text }) },
  '/metrics': { textType: 'text/plain; version=0.0.4; charset=utf-8' },
  '/openapi.json': { json: { type: 'object', required: ['openapi', 'info', 'paths'] } },
}
