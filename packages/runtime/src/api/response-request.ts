import * as v from 'valibot'
import { samplingDefaults } from '../sampling/defaults.ts'
import { generationSettings, type ParsedRequest, toolsOf } from './chat-request.ts'
import {
  answerEntries,
  flag,
  formatEntries,
  functionEntries,
  namedSchemaEntries,
  oneOf,
  text,
  toolList,
  toolNameSchema,
} from './request-entries.ts'
import type { ResponseObject } from './response-types.ts'
import type { ChatMessage } from './types.ts'
import { invalidRequest, parseRequest } from './validation.ts'

/** The official client adds what it has parsed to an output, and sends it back with it. */
const clientsOwn = v.optional(v.unknown())

const textList = <Own extends v.ObjectEntries>(type: 'input_text' | 'output_text', own: Own) => {
  const allowed = `a string, or a list of { type: "${type}", text }`
  const empty = v.optional(v.pipe(v.array(v.unknown(), 'an empty list'), v.maxLength(0, 'an empty list')))
  const entries = { type: v.literal(type, `"${type}"`), text: text(), annotations: empty, logprobs: empty }
  const part = v.strictObject({ ...entries, ...own }, `{ type: "${type}", text }`)
  return v.union([v.string(allowed), v.array(part, allowed)], allowed)
}

const status = v.optional(text())
const messageType = v.optional(v.literal('message', '"message"'))
const spokenTo = v.strictObject(
  {
    type: messageType,
    role: v.picklist(['system', 'developer', 'user'], '"system", "developer", "user" or "assistant"'),
    content: textList('input_text', {}),
  },
  '{ role, content }',
)
const spoken = v.strictObject(
  {
    type: messageType,
    role: v.literal('assistant'),
    content: textList('output_text', { parsed: clientsOwn }),
    id: status,
    status,
  },
  '{ role: "assistant", content }',
)
const call = v.strictObject(
  {
    ...{ type: v.literal('function_call'), call_id: text(), name: text(), arguments: text() },
    ...{ id: status, status, parsed_arguments: clientsOwn },
  },
  '{ type: "function_call", call_id, name, arguments }',
)
const thoughtAllowed = '{ type: "reasoning", id, summary, content } as an answer had it'
const thought = v.strictObject(
  {
    ...{ type: v.literal('reasoning'), id: status, status },
    summary: v.optional(v.pipe(v.array(v.unknown(), thoughtAllowed), v.maxLength(0, 'an empty list'))),
    content: v.optional(
      v.array(
        v.strictObject(
          { type: v.literal('reasoning_text'), text: text() },
          '{ type: "reasoning_text", text }',
        ),
        thoughtAllowed,
      ),
    ),
  },
  thoughtAllowed,
)
const callOutput = v.strictObject(
  { type: v.literal('function_call_output'), call_id: text(), output: text(), id: status, status },
  '{ type: "function_call_output", call_id, output }',
)

const inputAllowed =
  'a string, or a list of at least one message, reasoning, function_call or function_call_output'
const choiceAllowed = '"none", "auto", "required" or { type: "function", name }'
const { model, stream, temperature, top_p, top_k, min_p, seed, max_tokens } = answerEntries
const { repetition_penalty, frequency_penalty, presence_penalty } = answerEntries
const { user, safety_identifier, prompt_cache_key, metadata, store } = answerEntries

export const responseRequestSchema = v.strictObject({
  input: v.union(
    [
      v.string(inputAllowed),
      v.pipe(
        v.array(v.union([spokenTo, spoken, call, callOutput, thought], inputAllowed), inputAllowed),
        v.minLength(1, inputAllowed),
      ),
    ],
    inputAllowed,
  ),
  instructions: v.optional(text()),
  max_output_tokens: max_tokens,
  ...{ model, stream, temperature, top_p, top_k, min_p, seed },
  ...{ repetition_penalty, frequency_penalty, presence_penalty },
  ...{ user, safety_identifier, prompt_cache_key, metadata, store },
  tools: toolList(
    v.strictObject(
      { type: v.literal('function', '"function"'), ...functionEntries },
      '{ type: "function", name } with description, parameters and strict if wanted',
    ),
  ),
  tool_choice: v.optional(
    v.union(
      [
        v.picklist(['none', 'auto', 'required'], choiceAllowed),
        v.strictObject({ type: v.literal('function', '"function"'), name: toolNameSchema }, choiceAllowed),
      ],
      choiceAllowed,
    ),
  ),
  parallel_tool_calls: flag,
  text: v.optional(
    v.strictObject(
      {
        format: v.optional(
          v.variant(
            'type',
            [
              formatEntries.text,
              formatEntries.jsonObject,
              v.strictObject(
                { type: v.literal('json_schema'), ...namedSchemaEntries },
                '{ type: "json_schema", name, schema }',
              ),
            ],
            oneOf('an object with a type', 'text', 'json_object', 'json_schema'),
          ),
        ),
      },
      'an object with a format',
    ),
  ),
  truncation: v.optional(v.literal('disabled', '"disabled": nothing is left out of a conversation')),
})

type Parsed = v.InferOutput<typeof responseRequestSchema>

export interface ParsedResponseRequest extends Pick<ParsedRequest, 'model' | 'generate' | 'stream'> {
  /** What a response says of its request. */
  readonly echoed: Pick<
    ResponseObject,
    | 'instructions'
    | 'max_output_tokens'
    | 'metadata'
    | 'parallel_tool_calls'
    | 'tool_choice'
    | 'tools'
    | 'temperature'
    | 'top_p'
  >
}

/** @throws BrasaError `invalid_request` */
export function parseResponseRequest(request: unknown): ParsedResponseRequest {
  const parsed = parseRequest(responseRequestSchema, request)
  const { tools, tool_choice = 'auto', parallel_tool_calls = true, max_output_tokens, instructions } = parsed
  const given = tools?.map(({ type, ...own }) => ({ type, function: own }))
  const choice =
    typeof tool_choice === 'string'
      ? tool_choice
      : { type: tool_choice.type, function: { name: tool_choice.name } }
  const offered = toolsOf(given, choice, parallel_tool_calls)
  const format = parsed.text?.format
  if (offered !== undefined && format !== undefined && format.type !== 'text') {
    throw invalidRequest('"text.format" is not supported together with "tools". Give one.', 'text.format')
  }
  const structure =
    format === undefined || format.type === 'text'
      ? undefined
      : format.type === 'json_schema'
        ? { type: format.type, schema: format.schema }
        : format
  const messages = conversation(parsed)
  return {
    model: parsed.model,
    stream: parsed.stream ?? false,
    generate: {
      input: { messages, ...(offered && { tools: offered.tools }) },
      settings: generationSettings(
        { ...parsed, max_tokens: max_output_tokens },
        false,
        offered?.format ?? structure,
      ),
    },
    echoed: {
      instructions: instructions ?? null,
      max_output_tokens: max_output_tokens ?? null,
      metadata: parsed.metadata ?? {},
      parallel_tool_calls,
      tool_choice,
      tools: tools ?? [],
      temperature: parsed.temperature ?? samplingDefaults.temperature,
      top_p: parsed.top_p ?? samplingDefaults.top_p,
    },
  }
}

/** Calls that follow one another, or what the assistant says before them, are one message. */
function conversation({ instructions, input }: Parsed): ChatMessage[] {
  const messages: ChatMessage[] =
    instructions === undefined ? [] : [{ role: 'system', content: instructions }]
  if (typeof input === 'string') return [...messages, { role: 'user', content: input }]
  /** What the assistant thought before what it says or calls next. */
  let thoughts: { reasoning_content?: string } = {}
  for (const item of input) {
    if (item.type === 'reasoning') {
      const words = (item.content ?? []).map((part) => part.text).join('')
      thoughts = words === '' ? {} : { reasoning_content: words }
      continue
    }
    if (item.type === 'function_call_output') {
      messages.push({ role: 'tool', content: item.output, tool_call_id: item.call_id })
    } else if (item.type === 'function_call') {
      const { call_id: id, name, arguments: json } = item
      const last = messages.at(-1)
      const before: ChatMessage =
        last?.role === 'assistant' ? messages.pop()! : { role: 'assistant', content: '', ...thoughts }
      const own = { id, type: 'function' as const, function: { name, arguments: json } }
      messages.push({ ...before, tool_calls: [...(before.tool_calls ?? []), own] })
    } else {
      const { content } = item
      const words = typeof content === 'string' ? content : content.map((part) => part.text).join('')
      const role = item.role === 'developer' ? 'system' : item.role
      messages.push({ role, content: words, ...(role === 'assistant' && thoughts) })
    }
    thoughts = {}
  }
  return messages
}
