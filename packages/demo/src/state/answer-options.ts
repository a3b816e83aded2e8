import type { ChatCompletionRequest } from '@brasa/runtime'
import { effect, signal } from '@preact/signals'
import { type JsonProblem, jsonProblem } from '../structure/json-problem.ts'
import { isToolName, type ToolName, toolDefinitions, toolNames } from '../tools/tools.ts'
import { readStored, writeStored } from './storage.ts'

/** How the next answers are to be given. JSON and tools exclude each other: the runtime holds an answer to one form. */
export interface AnswerOptions {
  readonly mode: 'text' | 'json' | 'tools'
  /** JSON text as typed; empty for any JSON object. */
  readonly schema: string
  readonly tools: readonly ToolName[]
  /** Whether the model may call a tool or must. */
  readonly toolChoice: 'auto' | 'required'
  readonly keepProbabilities: boolean
}

export const defaultAnswerOptions: AnswerOptions = {
  mode: 'text',
  schema: '',
  tools: toolNames,
  toolChoice: 'auto',
  keepProbabilities: false,
}

/** Stored options of any age or making: what is not understood falls back to the default. */
export function reviveAnswerOptions(stored: unknown): AnswerOptions {
  if (typeof stored !== 'object' || stored === null) return defaultAnswerOptions
  const { mode, schema, tools, toolChoice, keepProbabilities } = stored as Record<string, unknown>
  return {
    mode: mode === 'json' || mode === 'tools' ? mode : 'text',
    schema: typeof schema === 'string' ? schema : '',
    tools: Array.isArray(tools)
      ? toolNames.filter((name) => tools.some((each) => each === name && isToolName(each)))
      : toolNames,
    toolChoice: toolChoice === 'required' ? 'required' : 'auto',
    keepProbabilities: keepProbabilities === true,
  }
}

/** What keeps a text from being a schema; undefined if nothing does. */
export function schemaProblem(schema: string): JsonProblem | { readonly kind: 'no-schema' } | undefined {
  if (schema.trim() === '') return undefined
  const problem = jsonProblem(schema)
  if (problem !== undefined) return problem
  const parsed: unknown = JSON.parse(schema)
  const isSchema = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
  return isSchema ? undefined : { kind: 'no-schema' }
}

/** A schema with a mistake cannot be kept to, and nothing is asked until it is put right. */
export function canAnswer({ mode, schema }: AnswerOptions): boolean {
  return mode !== 'json' || schemaProblem(schema) === undefined
}

/** How many of the likeliest tokens are kept beside each one. */
const numLikeliest = 5

type AnswerParameters = Pick<
  ChatCompletionRequest,
  'logprobs' | 'top_logprobs' | 'response_format' | 'tools' | 'tool_choice' | 'parallel_tool_calls'
>

/** As the request has them. With everything off there is nothing, and nothing is paid for. */
export function answerParameters(
  options: AnswerOptions,
  toolChoice: 'auto' | 'required' | 'none',
): AnswerParameters {
  const { mode, schema, tools, keepProbabilities } = options
  return {
    ...(keepProbabilities && { logprobs: true, top_logprobs: numLikeliest }),
    ...(mode === 'json' && { response_format: responseFormat(schema) }),
    ...(mode === 'tools' &&
      tools.length > 0 && {
        tools: toolDefinitions(tools),
        tool_choice: toolChoice,
        // One after another: a small model that may call several at once calls for ever.
        parallel_tool_calls: false,
      }),
  }
}

function responseFormat(schema: string): NonNullable<ChatCompletionRequest['response_format']> {
  if (schema.trim() === '') return { type: 'json_object' }
  return { type: 'json_schema', json_schema: { name: 'answer', schema: JSON.parse(schema), strict: true } }
}

const storageKey = 'brasa.answers'

export const answerOptions = signal<AnswerOptions>(defaultAnswerOptions)

/** Takes the stored options and stores every change from now on. */
export function rememberAnswerOptions(): void {
  answerOptions.value = reviveAnswerOptions(readStored(storageKey))
  effect(() => {
    writeStored(storageKey, answerOptions.value)
  })
}
