import type { ModelInspection } from './api/inspect-types.ts'
import type { ToolCallDelta, ToolDefinition } from './api/tool-types.ts'
import type {
  BackendChoice,
  ChatMessage,
  EngineWarning,
  FinishReason,
  LoadProgress,
  ModelInfo,
  ModelReference,
  Timings,
  TokenLogprobs,
  TokenScore,
  Usage,
} from './api/types.ts'
import type {
  ActivationPrecision,
  DecodeVariant,
  DeviceCounters,
  DeviceInfo,
  LinearPrecision,
  MemoryInfo,
  SamplingSettings,
} from './backends/executor.ts'

export type { MemoryEstimate, ModelInspection } from './api/inspect-types.ts'
export type { ToolCall, ToolCallDelta, ToolDefinition } from './api/tool-types.ts'
export type {
  BackendChoice,
  ChatMessage,
  EngineWarning,
  FinishReason,
  LoadProgress,
  ModelInfo,
  ModelReference,
  Timings,
  TokenLogprobs,
  TokenScore,
  Usage,
} from './api/types.ts'

/**
 * Everything that crosses between page and worker. A load or an answer is a stream: the page names it with an id of its
 * own, then calls `next` until it returns nothing. Only calls and structured-cloneable values cross; errors do as in
 * error-transfer.ts.
 */
export interface EngineService {
  /** Answers at once when the worker is well: the heartbeat. */
  ping(): void
  /** Starts a stream that ends after `loaded`. Loading again drops the model that was there. */
  load(stream: StreamId, request: LoadRequest): void
  /** Starts a stream: `accepted`, then `tokens`, then `done`. */
  generate(stream: StreamId, request: GenerateRequest): void
  /** Starts a stream: `tokenized`, then `scored` until every position is. Stopped, it fails with `aborted`. */
  score(stream: StreamId, request: ScoreRequest): void
  /** The events since the last call, as soon as there are some; none when the stream has ended. Rejects with its error. */
  next(stream: StreamId): Promise<readonly EngineEvent[]>
  /** Stops a stream. A load then fails with `aborted`; an answer is `done` with what there is. */
  abort(stream: StreamId): void
  tokenize(text: string | TokenizeRequest): Promise<Uint32Array>
  /** What each token stands for, which may be a part of a character; of a special token, its name. @throws BrasaError `invalid_request` */
  tokenBytes(tokens: Uint32Array): Promise<readonly Uint8Array[]>
  memory(): Promise<MemoryInfo>
  counters(): Promise<DeviceCounters>
  dispose(): Promise<void>
}

export type StreamId = number

/** What inspects a model, in a worker of its own. */
export interface InspectService {
  ping(): void
  inspect(request: InspectRequest): Promise<ModelInspection>
}

export interface InspectRequest
  extends Pick<LoadRequest, 'model' | 'linears' | 'contextLength' | 'catalogueUrl' | 'baseUrl'> {}

export interface LoadRequest {
  readonly model: ModelReference
  readonly backend: BackendChoice
  /** Why this backend, in a sentence, where the caller did not choose it. */
  readonly reason?: string
  readonly linears?: LinearPrecision['format'] | undefined
  readonly precision?: ActivationPrecision | undefined
  readonly threads?: number | undefined
  readonly variant?: DecodeVariant | undefined
  readonly contextLength?: number
  /** Absolute. */
  readonly catalogueUrl: string
  /** The page's own URL, against which relative ones are resolved: the worker's is another. */
  readonly baseUrl: string
}

export interface GenerateRequest {
  readonly input:
    | {
        readonly messages: readonly ChatMessage[]
        /** What the prompt offers the model; none where there are none to offer. */
        readonly tools?: readonly ToolDefinition[]
        /** The last message is the assistant's and the answer goes on from it, in the same turn. */
        readonly continuesAssistant?: boolean
      }
    /** Taken raw, special tokens parsed. */
    | { readonly prompt: string }
  readonly settings: GenerationSettings
  /** Of each answer what the page has already, from a worker before: neither sampled nor told again. */
  readonly answered?: readonly AnswerSoFar[]
}

/** A prompt as the model would read it. */
export interface TokenizeRequest {
  readonly input: GenerateRequest['input']
  /** Of a conversation, what comes before the answer to it; true where it is left out. */
  readonly addsGenerationPrompt?: boolean
  /** Begins with the token that begins every text; what the model's file says where it is left out. Never twice. */
  readonly addsBos?: boolean
}

export interface AnswerSoFar {
  readonly tokens: readonly number[]
  readonly isDone: boolean
}

export interface ScoreRequest {
  readonly input: { readonly text: string } | { readonly tokens: Uint32Array }
  /** A list for each position but the last. */
  readonly logprobsOf?: readonly (readonly number[])[]
  /** Likely tokens to report at each position; 0 reports none. */
  readonly topLogprobs: number
}

/** Validated: see sampling/parameters.ts. */
export interface GenerationSettings {
  readonly sampling: SamplingSettings
  /** Tokens of the answer; left out, until the context is full. */
  readonly maxTokens?: number
  readonly stop: readonly string[]
  /** Likely tokens to report at each step; 0 reports none. */
  readonly topLogprobs: number
  readonly ignoreEos: boolean
  /** Answers to the one prompt, each with a seed of its own: `seed` plus its index. 1 where it is left out. */
  readonly numAnswers?: number
  /** What the answer keeps to, whatever the model would rather say. */
  readonly format?: StructuredFormat
}

export type StructuredFormat =
  /** Any JSON object. */
  | { readonly type: 'json_object' }
  | { readonly type: 'json_schema'; readonly schema: unknown }
  | { readonly type: 'regex'; readonly pattern: string }
  | { readonly type: 'ebnf'; readonly grammar: string }
  | {
      readonly type: 'tools'
      readonly tools: readonly ToolDefinition[]
      /** `auto`: text, calls or both; `required`: a call at least; a name: that one. */
      readonly choice: 'auto' | 'required' | { readonly name: string }
      /** Whether there may be more calls than one. */
      readonly parallel: boolean
    }

export type EngineEvent =
  /** Also in an answer's stream, when the model had to be loaded anew for it. */
  | { readonly type: 'progress'; readonly progress: LoadProgress }
  | { readonly type: 'warning'; readonly warning: EngineWarning }
  | { readonly type: 'loaded'; readonly model: ModelInfo; readonly device: DeviceInfo }
  /** The prompt fits; the answer waits for its turn. */
  | { readonly type: 'accepted' }
  | TokensEvent
  | { readonly type: 'tokenized'; readonly tokens: Uint32Array }
  /** The next positions' scores. */
  | { readonly type: 'scored'; readonly scores: readonly TokenScore[] }
  /** One for each answer; the stream ends after the last. */
  | {
      readonly type: 'done'
      /** Among `numAnswers`; 0 where it is left out. */
      readonly answer?: number
      readonly finishReason: FinishReason
      /** Of all answers so far: the last one's is the request's. */
      readonly usage: Usage
      readonly timings: Timings
    }

/** One token, or several that arrived in one batch. Text held back for a stop string comes with a later token. */
export interface TokensEvent {
  readonly type: 'tokens'
  /** Among `numAnswers`; 0 where it is left out. */
  readonly answer?: number
  /** Of a model that thinks before it answers. Comes before `text`. */
  readonly thought: string
  readonly text: string
  readonly tokens: readonly number[]
  /** One entry a token where the request asked for them, else empty. */
  readonly logprobs: readonly TokenLogprobs[]
  /** Of an answer with tools: calls are not in `text`. */
  readonly toolCalls?: readonly ToolCallDelta[]
}
