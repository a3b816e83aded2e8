import type { GenerationParameters, TokenStream } from './completion-types.ts'
import type { RequestOptions } from './load-types.ts'

/** OpenAI's responses, of text and function tools. Nothing is stored: a conversation is given whole. */
export interface ResponsesApi {
  create(
    request: ResponseRequest & { stream: true },
    options?: RequestOptions,
  ): Promise<TokenStream<ResponseEvent>>
  create(
    request: ResponseRequest & { stream?: false | null },
    options?: RequestOptions,
  ): Promise<ResponseObject>
}

type Text<Type extends string> = readonly { readonly type: Type; readonly text: string }[]

export type ResponseInputItem =
  | {
      readonly type?: 'message'
      readonly role: 'system' | 'developer' | 'user'
      readonly content: string | Text<'input_text'>
    }
  | {
      readonly type?: 'message'
      readonly role: 'assistant'
      readonly content: string | Text<'output_text'>
      readonly id?: string
      readonly status?: string
    }
  | {
      readonly type: 'function_call'
      readonly call_id: string
      readonly name: string
      readonly arguments: string
      readonly id?: string
      readonly status?: string
    }
  | { readonly type: 'function_call_output'; readonly call_id: string; readonly output: string }

export interface ResponseRequest
  extends Pick<
    GenerationParameters,
    | 'model'
    | 'temperature'
    | 'top_p'
    | 'top_k'
    | 'min_p'
    | 'repetition_penalty'
    | 'frequency_penalty'
    | 'presence_penalty'
    | 'seed'
    | 'user'
    | 'metadata'
    | 'store'
  > {
  readonly input: string | readonly ResponseInputItem[]
  /** A system message before the others. */
  readonly instructions?: string | null
  readonly max_output_tokens?: number | null
  readonly tools?: readonly {
    readonly type: 'function'
    readonly name: string
    readonly description?: string
    readonly parameters?: Readonly<Record<string, unknown>>
    readonly strict?: boolean | null
  }[]
  readonly tool_choice?: 'none' | 'auto' | 'required' | { readonly type: 'function'; readonly name: string }
  readonly parallel_tool_calls?: boolean | null
  readonly text?: {
    readonly format?:
      | { readonly type: 'text' | 'json_object' }
      | {
          readonly type: 'json_schema'
          readonly name: string
          readonly schema: Readonly<Record<string, unknown>>
          readonly description?: string
          readonly strict?: boolean | null
        }
  }
}

export interface ResponseMessage {
  readonly type: 'message'
  readonly id: string
  readonly role: 'assistant'
  readonly status: 'in_progress' | 'completed' | 'incomplete'
  readonly content: readonly ResponseText[]
}

export interface ResponseText {
  readonly type: 'output_text'
  readonly text: string
  readonly annotations: readonly []
}

export interface ResponseCall {
  readonly type: 'function_call'
  readonly id: string
  readonly call_id: string
  readonly name: string
  /** JSON text. */
  readonly arguments: string
  readonly status: 'in_progress' | 'completed' | 'incomplete'
}

/** What a model that thinks thinks before its answer. */
export interface ResponseThought {
  readonly type: 'reasoning'
  readonly id: string
  readonly summary: readonly []
  readonly content: readonly { readonly type: 'reasoning_text'; readonly text: string }[]
}

export type ResponseOutputItem = ResponseMessage | ResponseCall | ResponseThought

export interface ResponseObject {
  readonly id: string
  readonly object: 'response'
  readonly created_at: number
  readonly status: 'in_progress' | 'completed' | 'incomplete'
  readonly model: string
  readonly output: readonly ResponseOutputItem[]
  readonly error: null
  readonly incomplete_details: { readonly reason: 'max_output_tokens' } | null
  readonly instructions: string | null
  readonly max_output_tokens: number | null
  readonly metadata: Readonly<Record<string, string>>
  readonly parallel_tool_calls: boolean
  readonly tool_choice: NonNullable<ResponseRequest['tool_choice']>
  readonly tools: NonNullable<ResponseRequest['tools']>
  readonly temperature: number
  readonly top_p: number
  readonly store: false
  /** When it is complete. */
  readonly usage: {
    readonly input_tokens: number
    readonly input_tokens_details: { readonly cached_tokens: number }
    readonly output_tokens: number
    readonly output_tokens_details: { readonly reasoning_tokens: number }
    readonly total_tokens: number
  } | null
}

/** OpenAI's events of a streamed response, in its order: https://platform.openai.com/docs/api-reference/responses-streaming */
export interface ResponseEvent {
  readonly type: string
  readonly sequence_number: number
  readonly [field: string]: unknown
}
