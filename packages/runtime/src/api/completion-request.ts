import * as v from 'valibot'
import { generationSettings, type ParsedRequest, streaming, structuredFormat } from './chat-request.ts'
import { answerEntries, flag, responseFormatSchema } from './request-entries.ts'
import { invalidRequest, parseRequest } from './validation.ts'

const promptAllowed = 'a string, a list of token ids, or a list of at least one of either'
const tokenSchema = v.pipe(
  v.number(promptAllowed),
  v.integer(promptAllowed),
  v.minValue(0, promptAllowed),
  v.maxValue(2 ** 31, promptAllowed),
)
const maxPrompts = 1024

/** One list of token ids. */
export const tokensSchema = v.pipe(v.array(tokenSchema, promptAllowed), v.minLength(1, promptAllowed))

const promptsOf = <Schema extends v.GenericSchema>(item: Schema) =>
  v.pipe(v.array(item, promptAllowed), v.minLength(1, promptAllowed), v.maxLength(maxPrompts, promptAllowed))

const whole = (most: number) => `a whole number from 0 to ${most}`
const upTo = (most: number) =>
  v.optional(
    v.pipe(
      v.number(whole(most)),
      v.integer(whole(most)),
      v.minValue(0, whole(most)),
      v.maxValue(most, whole(most)),
    ),
  )

export const completionRequestSchema = v.strictObject({
  prompt: v.union(
    [v.string(promptAllowed), tokensSchema, promptsOf(v.string(promptAllowed)), promptsOf(tokensSchema)],
    promptAllowed,
  ),
  ...answerEntries,
  max_tokens: upTo(Number.MAX_SAFE_INTEGER),
  logprobs: upTo(20),
  echo: flag,
  response_format: v.optional(responseFormatSchema),
})

/** A prompt, as text or as tokens. */
export type Prompt = string | readonly number[]

export interface ParsedCompletionRequest extends Omit<ParsedRequest, 'generate'> {
  readonly prompts: readonly Prompt[]
  readonly settings: ParsedRequest['generate']['settings']
  /** Whether the prompt comes before the answer. */
  readonly echo: boolean
  /** False where the prompt alone is to be scored. */
  readonly answers: boolean
  /** By `logprobs`, the shape of text completions; by `top_logprobs`, that of chats. */
  readonly logprobsShape: 'completion' | 'chat'
}

/** @throws BrasaError `invalid_request` */
export function parseCompletionRequest(request: unknown): ParsedCompletionRequest {
  const parsed = parseRequest(completionRequestSchema, request)
  const { prompt, echo = false, max_tokens, logprobs, top_logprobs } = parsed
  if (max_tokens === 0 && !echo) {
    throw invalidRequest('"max_tokens" is 0, which is for scoring with "echo": true.', 'max_tokens')
  }
  if (logprobs !== undefined && top_logprobs !== undefined) {
    throw invalidRequest('"logprobs" and "top_logprobs" ask for different shapes. Give one.', 'top_logprobs')
  }
  if (echo && top_logprobs !== undefined) {
    throw invalidRequest('"top_logprobs" has no shape for a prompt. Give "logprobs".', 'top_logprobs')
  }
  const topLogprobs = logprobs ?? top_logprobs
  const sampling = { ...parsed, max_tokens: max_tokens === 0 ? undefined : max_tokens }
  return {
    ...streaming(parsed),
    model: parsed.model,
    prompts: promptList(prompt),
    settings: generationSettings(
      sampling,
      topLogprobs !== undefined,
      structuredFormat(parsed.response_format),
    ),
    echo,
    answers: max_tokens !== 0,
    topLogprobs,
    logprobsShape: logprobs === undefined ? 'chat' : 'completion',
  }
}

function promptList(prompt: v.InferOutput<typeof completionRequestSchema>['prompt']): readonly Prompt[] {
  if (typeof prompt === 'string') return [prompt]
  return typeof prompt[0] === 'number' ? [prompt as number[]] : (prompt as readonly Prompt[])
}
