import type { RequestOptions } from './load-types.ts'
import type { ToolCall, ToolDefinition } from './tool-types.ts'

/** What chat messages hold: a text, or its parts, which follow one another without a break. */
export type MessageContent = string | readonly { readonly type: 'text'; readonly text: string }[]

/** As clients send them. */
export type ChatRequestMessage =
  | ChatMessage
  /** `developer` stands for `system`. */
  | { readonly role: 'system' | 'developer' | 'user'; readonly content: MessageContent }
  | {
      readonly role: 'assistant'
      readonly content?: MessageContent | null
      /** The thought before an answer. Left out, as clients do, no old thought is read again. */
      readonly reasoning_content?: string | null
      readonly refusal?: null
      readonly tool_calls?: readonly ToolCall[] | null
    }
  | { readonly role: 'tool'; readonly content: MessageContent; readonly tool_call_id: string }

/** As the engine knows it. */
export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool'
  readonly content: string
  /** The thought before an answer of the assistant. Left out, as clients do, no old thought is read again. */
  readonly reasoning_content?: string
  /** The assistant's. */
  readonly tool_calls?: readonly ToolCall[]
  /** Of role `tool`: the call that this is the result of. */
  readonly tool_call_id?: string
}

/** What an answer keeps to, whatever the model would rather say. `regex` and `grammar` (EBNF) are not OpenAI's. */
export type ResponseFormat =
  | { readonly type: 'text' | 'json_object' }
  | {
      readonly type: 'json_schema'
      readonly json_schema: {
        readonly name: string
        readonly schema: Readonly<Record<string, unknown>>
        readonly description?: string
        /** Answers keep to the schema whatever it says. */
        readonly strict?: boolean | null
      }
    }
  | { readonly type: 'regex'; readonly pattern: string }
  | { readonly type: 'grammar'; readonly grammar: string }

/** OpenAI's names; those from `top_k` on are the usual extensions. Null is as good as left out. */
export interface GenerationParameters {
  /** The loaded model's id. */
  readonly model?: string
  readonly max_tokens?: number | null
  readonly temperature?: number | null
  readonly top_p?: number | null
  readonly frequency_penalty?: number | null
  readonly presence_penalty?: number | null
  /** Token ids with what is added to their logits, -100 to 100. */
  readonly logit_bias?: Readonly<Record<string, number>> | null
  readonly seed?: number | null
  readonly stop?: string | readonly string[] | null
  /** Answers to the one prompt, up to 16. */
  readonly n?: number | null
  readonly stream_options?: { readonly include_usage?: boolean } | null
  /** These change nothing: OpenAI has them for accounts. */
  readonly user?: string
  readonly metadata?: Readonly<Record<string, string>> | null
  readonly store?: false | null
  readonly top_k?: number | null
  readonly min_p?: number | null
  readonly repetition_penalty?: number | null
  /** Report that many likely tokens at each step, up to 20. */
  readonly top_logprobs?: number | null
  /** Go on past the end-of-sequence token until `max_tokens`; for benchmarks. */
  readonly ignore_eos?: boolean
}

export interface ChatCompletionRequest extends GenerationParameters {
  readonly messages: readonly ChatRequestMessage[]
  readonly max_completion_tokens?: number | null
  readonly logprobs?: boolean | null
  readonly response_format?: ResponseFormat | null
  readonly tools?: readonly ToolDefinition[]
  readonly tool_choice?:
    | 'none'
    | 'auto'
    | 'required'
    | { readonly type: 'function'; readonly function: { readonly name: string } }
  readonly parallel_tool_calls?: boolean
  /** The answer goes on from the assistant's last message, in the same turn. As vLLM has it. */
  readonly continue_final_message?: boolean
}

/** `prompt` is taken raw, with special tokens parsed. Several are answered one after another. */
export interface CompletionRequest extends GenerationParameters {
  readonly prompt: string | readonly string[] | readonly number[] | readonly (readonly number[])[]
  /** The prompt in front of the answer; with `max_tokens` 0 the prompt alone, to be scored by `logprobs`. */
  readonly echo?: boolean | null
  /** Likely tokens to report at each step, up to 20, in the shape of text completions. */
  readonly logprobs?: number | null
  readonly response_format?: ResponseFormat | null
}

export interface ChatCompletions {
  create(
    request: ChatCompletionRequest & { stream: true },
    options?: RequestOptions,
  ): Promise<TokenStream<ChatCompletionChunk>>
  create(
    request: ChatCompletionRequest & { stream?: false | null },
    options?: RequestOptions,
  ): Promise<ChatCompletion>
}

export interface Completions {
  create(
    request: CompletionRequest & { stream: true },
    options?: RequestOptions,
  ): Promise<TokenStream<CompletionChunk>>
  create(
    request: CompletionRequest & { stream?: false | null },
    options?: RequestOptions,
  ): Promise<Completion>
}

/** Iterate it once; `abort`, or leaving the loop, stops the model. */
export interface TokenStream<Chunk> extends AsyncIterable<Chunk> {
  abort(): void
}

/**
 * `length`: max_tokens or the context is used up. `tool_calls`: the model called one. `abort`: the caller stopped it.
 */
export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'abort'

export interface Usage {
  readonly prompt_tokens: number
  readonly completion_tokens: number
  readonly total_tokens: number
  /** Prompt tokens whose keys and values were still in the cache. */
  readonly prompt_tokens_details: { readonly cached_tokens: number }
}

/** Measured on the machine that answers. Comes with the last chunk; of an answer that moved to another backend, of what came there. */
export interface Timings {
  /** From the request's arrival to the first token. */
  readonly ttftMs: number
  readonly prefillTokensPerSecond: number
  /** Over the tokens after the first. */
  readonly decodeTokensPerSecond: number
}

export interface LogprobEntry {
  readonly tokenId: number
  readonly token: string
  readonly logprob: number
}

/** One sampled token: what OpenAI reports, and its id. */
export interface TokenLogprobs extends LogprobEntry {
  readonly top_logprobs: readonly LogprobEntry[]
}

/** What a token stands for, which may be a part of a character. */
interface WithBytes {
  readonly bytes: readonly number[]
}

export interface ChatLogprobs {
  readonly content: readonly (LogprobEntry &
    WithBytes & { readonly top_logprobs: readonly (LogprobEntry & WithBytes)[] })[]
}

/** Of text completions: a list each, of as many tokens. */
export interface LegacyLogprobs {
  readonly tokens: readonly string[]
  /** Null of a prompt's first token, which follows nothing. */
  readonly token_logprobs: readonly (number | null)[]
  readonly top_logprobs: readonly (Readonly<Record<string, number>> | null)[]
  /** Where each token begins in the text, in UTF-16 units. */
  readonly text_offset: readonly number[]
}

/** `timings`, and `reasoning_content` as vLLM has it, are not OpenAI's. */
export interface ChatCompletionChunk {
  readonly id: string
  readonly object: 'chat.completion.chunk'
  readonly created: number
  readonly model: string
  /** None in a chunk that tells the usage alone. */
  readonly choices: readonly {
    readonly index: number
    readonly delta: {
      readonly role?: 'assistant'
      readonly content?: string
      /** What a model that thinks thinks before its answer. */
      readonly reasoning_content?: string
      readonly tool_calls?: readonly {
        readonly index: number
        /** With the first piece of a call, as the name. */
        readonly id?: string
        readonly type?: 'function'
        readonly function: { readonly name?: string; readonly arguments?: string }
      }[]
    }
    readonly finish_reason: FinishReason | null
    readonly logprobs: ChatLogprobs | null
  }[]
  /** With the last chunk; with `stream_options` as these have it. */
  readonly usage?: Usage | null
  readonly timings?: Timings
}

export interface ChatCompletion {
  readonly id: string
  readonly object: 'chat.completion'
  readonly created: number
  readonly model: string
  readonly choices: readonly {
    readonly index: number
    readonly message: {
      readonly role: 'assistant'
      /** Null where there are tool calls alone. */
      readonly content: string | null
      readonly refusal: null
      /** Of a model that thinks, where it did. */
      readonly reasoning_content?: string
      readonly tool_calls?: readonly ToolCall[]
    }
    readonly finish_reason: FinishReason
    readonly logprobs: ChatLogprobs | null
  }[]
  readonly usage: Usage
  readonly timings: Timings
}

export type CompletionLogprobs = Partial<LegacyLogprobs> & Partial<ChatLogprobs>

interface CompletionChoice {
  /** Of prompt p and answer a: p times `n` plus a. */
  readonly index: number
  readonly text: string
  /** Ids of the tokens of this text. */
  readonly tokens: readonly number[]
  readonly finish_reason: FinishReason | null
  /** By `logprobs` in the shape of text completions, by `top_logprobs` in that of chats. */
  readonly logprobs: CompletionLogprobs | null
}

export interface CompletionChunk {
  readonly id: string
  readonly object: 'text_completion'
  readonly created: number
  readonly model: string
  readonly choices: readonly CompletionChoice[]
  readonly usage?: Usage | null
  readonly timings?: Timings
}

export interface Completion extends Omit<CompletionChunk, 'choices' | 'usage' | 'timings'> {
  readonly choices: readonly (CompletionChoice & { readonly finish_reason: FinishReason })[]
  readonly usage: Usage
  readonly timings: Timings
}
