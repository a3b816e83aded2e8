import * as v from 'valibot'
import type { GenerateRequest, StructuredFormat, ToolDefinition } from '../protocol.ts'
import { parseGenerationParameters } from '../sampling/parameters.ts'
import { conversationOf, messageSchema } from './messages.ts'
import {
  answerEntries,
  flag,
  functionEntries,
  responseFormatSchema,
  toolList,
  toolNameSchema,
} from './request-entries.ts'
import { invalidRequest, parseRequest } from './validation.ts'

const messagesAllowed = 'a list of at least one { role, content }'
const namedTool = v.strictObject(
  {
    type: v.literal('function', '"function"'),
    function: v.strictObject({ name: toolNameSchema }, '{ name }'),
  },
  '{ type: "function", function: { name } }',
)
const choiceAllowed = '"none", "auto", "required" or { type: "function", function: { name } }'

export const chatRequestSchema = v.strictObject({
  messages: v.pipe(v.array(messageSchema, messagesAllowed), v.minLength(1, messagesAllowed)),
  ...answerEntries,
  max_completion_tokens: answerEntries.max_tokens,
  logprobs: flag,
  response_format: v.optional(responseFormatSchema),
  tools: toolList(
    v.strictObject(
      {
        type: v.literal('function', '"function"'),
        function: v.strictObject(
          functionEntries,
          '{ name } with description, parameters and strict if wanted',
        ),
      },
      '{ type: "function", function }',
    ),
  ),
  tool_choice: v.optional(
    v.union([v.picklist(['none', 'auto', 'required'], choiceAllowed), namedTool], choiceAllowed),
  ),
  parallel_tool_calls: flag,
  continue_final_message: flag,
  add_generation_prompt: flag,
})

export type ChatRequest = v.InferOutput<typeof chatRequestSchema>

/** What a request for an answer comes to. */
export interface ParsedRequest {
  readonly model: string | undefined
  readonly generate: GenerateRequest
  readonly stream: boolean
  /** Whether a stream tells its usage in a chunk of its own, with its last, or not at all. */
  readonly usage: 'own chunk' | 'last chunk' | 'none'
  /** Likely tokens to tell beside each one; undefined where log-probabilities are not asked for. */
  readonly topLogprobs: number | undefined
}

/** @throws BrasaError `invalid_request` */
export function parseChatRequest(request: unknown): ParsedRequest {
  const parsed = parseRequest(chatRequestSchema, request)
  const { messages, response_format, tools, tool_choice, parallel_tool_calls, logprobs } = parsed
  const { max_completion_tokens, max_tokens = max_completion_tokens } = parsed
  const { continue_final_message: continues = false, add_generation_prompt = !continues } = parsed
  if (continues) checkEndsWithAnswer(messages)
  if (add_generation_prompt === continues) {
    throw invalidRequest(
      `"add_generation_prompt" is ${add_generation_prompt}; it must be the opposite of "continue_final_message", or left out.`,
      'add_generation_prompt',
    )
  }
  if (logprobs === false && (parsed.top_logprobs ?? 0) > 0) {
    throw invalidRequest('"top_logprobs" needs "logprobs": true.', 'top_logprobs')
  }
  if (max_completion_tokens !== undefined && max_tokens !== max_completion_tokens) {
    throw invalidRequest('"max_tokens" and "max_completion_tokens" differ. Give one.', 'max_tokens')
  }
  const wantsLogprobs = logprobs ?? parsed.top_logprobs !== undefined
  const offered = toolsOf(tools, tool_choice, parallel_tool_calls)
  const format = offered?.format ?? structuredFormat(response_format)
  if (offered !== undefined && structuredFormat(response_format) !== undefined) {
    throw invalidRequest(
      '"response_format" is not supported together with "tools". Give one, or "tool_choice": "none".',
      'response_format',
    )
  }
  return {
    ...streaming(parsed),
    model: parsed.model,
    topLogprobs: wantsLogprobs ? (parsed.top_logprobs ?? 0) : undefined,
    generate: {
      input: {
        messages: conversationOf(messages),
        ...(offered && { tools: offered.tools }),
        ...(continues && { continuesAssistant: true }),
      },
      settings: generationSettings({ ...parsed, max_tokens }, wantsLogprobs, format),
    },
  }
}

/** @throws BrasaError `invalid_request` where "continue_final_message" has nothing to go on from */
export function checkEndsWithAnswer(messages: ChatRequest['messages']): void {
  if (messages.at(-1)?.role === 'assistant') return
  throw invalidRequest(
    '"continue_final_message" goes on from the assistant\'s last message, but the last is another\'s. Put what the answer begins with there.',
    'continue_final_message',
  )
}

/** The sampling part of a checked request, with what else the engine is to keep to. */
export function generationSettings(
  parsed: v.InferOutput<v.StrictObjectSchema<typeof answerEntries, undefined>>,
  wantsLogprobs: boolean,
  format: StructuredFormat | undefined,
) {
  const {
    model,
    stream,
    stream_options,
    n,
    user,
    safety_identifier,
    prompt_cache_key,
    metadata,
    store,
    ...rest
  } = parsed
  const parameters = Object.fromEntries(Object.entries(rest).filter(([name]) => name in answerEntries))
  return {
    // The sampled token's own is known where it is among the likely ones.
    ...parseGenerationParameters({ ...parameters, top_logprobs: wantsLogprobs ? 20 : 0 }),
    ...(n !== undefined && n > 1 && { numAnswers: n }),
    ...(format && { format }),
  }
}

/** @throws BrasaError `invalid_request` for stream_options without a stream, as OpenAI has it */
export function streaming(
  parsed: Pick<ChatRequest, 'stream' | 'stream_options'>,
): Pick<ParsedRequest, 'stream' | 'usage'> {
  const { stream = false, stream_options } = parsed
  if (stream_options !== undefined && !stream) {
    throw invalidRequest('"stream_options" needs "stream": true.', 'stream_options')
  }
  if (stream_options?.include_usage === undefined) return { stream, usage: 'last chunk' }
  return { stream, usage: stream_options.include_usage ? 'own chunk' : 'none' }
}

export function structuredFormat(format: ChatRequest['response_format']): StructuredFormat | undefined {
  if (format === undefined || format.type === 'text') return undefined
  if (format.type === 'json_schema') return { type: 'json_schema', schema: format.json_schema.schema }
  if (format.type === 'grammar') return { type: 'ebnf', grammar: format.grammar }
  return format
}

/** What the prompt offers and the answer keeps to; nothing of either where the choice is `none`. */
export function toolsOf(
  tools: ChatRequest['tools'],
  choice: ChatRequest['tool_choice'] = 'auto',
  parallel = true,
): { tools: readonly ToolDefinition[]; format: StructuredFormat } | undefined {
  if (tools === undefined) {
    if (choice === 'auto' || choice === 'none') return undefined
    throw invalidRequest('"tool_choice" needs "tools".', 'tool_choice')
  }
  const names = tools.map((tool) => tool.function.name)
  const double = names.find((name, index) => names.indexOf(name) !== index)
  if (double !== undefined) throw invalidRequest(`"tools" has "${double}" twice. Names must differ.`, 'tools')
  if (choice === 'none') return undefined
  const definitions = tools.map(({ type, function: { strict, ...own } }) => ({
    type,
    function: { ...own, ...(typeof strict === 'boolean' && { strict }) },
  })) as ToolDefinition[]
  if (typeof choice === 'string')
    return { tools: definitions, format: { type: 'tools', tools: definitions, choice, parallel } }
  const { name } = choice.function
  if (!names.includes(name)) {
    throw invalidRequest(`"tool_choice" names "${name}", which is not among "tools".`, 'tool_choice')
  }
  return { tools: definitions, format: { type: 'tools', tools: definitions, choice: { name }, parallel } }
}
