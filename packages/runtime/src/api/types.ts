import type { DeviceCounters, DeviceInfo, MemoryInfo } from '../backends/executor.ts'
import type { InspectOptions, ModelInspection } from './inspect-types.ts'
import type { EngineWarning, LoadProgress, RequestOptions } from './load-types.ts'
import type { Classify, Embeddings, Sessions } from './onnx-types.ts'
import type { ToolCall } from './tool-types.ts'

export type { InspectOptions, MemoryEstimate, ModelInspection } from './inspect-types.ts'
export type { EngineWarning, LoadProgress, RequestOptions } from './load-types.ts'

/** A catalogue name, `hf:owner/repo/file.gguf`, a URL of a manifest.json or a .gguf, a `File`, or a split GGUF's parts in order. */
export type ModelReference = string | File | readonly (string | File)[]

/** `wasm` and `ort` compute on the CPU. `reference` is for tests: obviously right, and slow. */
export type BackendChoice = 'auto' | 'webgpu' | 'wasm' | 'ort' | 'reference'

export interface EngineOptions {
  /** The language model; left out, the engine serves ONNX models only: `sessions`, `embeddings` and `classify`. */
  readonly model?: ModelReference
  /** `auto` by default. */
  readonly backend?: BackendChoice
  /** How ONNX Runtime computes linear layers; by default f32 where it fits into memory, else int8. `engine.device.linears` tells. */
  readonly linears?: 'f32' | 'int8'
  /**
   * What WebAssembly multiplies quantised weights by: activations of 15 bits, the default; of 8, faster and coarser; or as they are,
   * slower.
   */
  readonly precision?: 'int8' | 'int16' | 'f32'
  /**
   * Tokens a conversation may have. By default the largest of 2,048, 4,096, 8,192, … and the model's own limit with which it
   * takes at most a quarter of the device's memory, 2 GiB where that is not known; `engine.inspect` tells beforehand.
   */
  readonly contextLength?: number
  /** Where `models.json` is; `models/models.json` beside the page by default. */
  readonly catalogueUrl?: string
  readonly onProgress?: (progress: LoadProgress) => void
  /** Conditions the user should know of that are not errors, such as a full disk. */
  readonly onWarning?: (warning: EngineWarning) => void
  readonly signal?: AbortSignal
}

export interface ModelInfo {
  readonly id: string
  /** The name for people: from the catalogue, else from the file's metadata. */
  readonly name: string
  readonly architecture: string
  /** As the file names its mix of encodings, such as "Q4_K_M". */
  readonly quantisation: string
  /** Tokens a conversation may have in this engine. */
  readonly contextLength: number
  readonly sizeBytes: number
  readonly licence?: string
}

export interface StoredModel {
  /** What `createEngine` takes as `model` to open it again. */
  readonly id: string
  readonly sizeBytes: number
  /** False where a download has not finished; loading the model again goes on with it. */
  readonly isComplete: boolean
}

/** A model that a catalogue names. */
export interface CatalogueEntry {
  /** What `createEngine` takes as `model`. */
  readonly id: string
  /** For people. */
  readonly name: string
  readonly architecture: string
  readonly quantisation: string
  readonly licence: string
  /** Tokens, at most. */
  readonly contextLength: number
  readonly sizeBytes: number
  /** Where terms stand that a person must accept before the model is fetched. */
  readonly terms?: string
}

export interface Engine {
  /** @throws BrasaError `invalid_request`, as all that needs a language model does in an engine without one */
  readonly model: ModelInfo
  /** What answers, and why. Changes with the warning `backend_changed`. */
  readonly device: DeviceInfo
  readonly chat: { readonly completions: ChatCompletions }
  readonly completions: Completions
  /** Any ONNX model. These run in a worker of their own, which starts when it is first needed. */
  readonly sessions: Sessions
  readonly embeddings: Embeddings
  readonly classify: Classify
  /**
   * What a model is and what it would take to load it, from a few megabytes at most: nothing is stored. Any engine does it,
   * also one without a model, and goes on answering meanwhile.
   * @throws BrasaError `unsupported_architecture` and whatever else is wrong with the reference, the server or the header
   */
  inspect(model: ModelReference, options?: InspectOptions): Promise<ModelInspection>
  /** Tokens of a text, special tokens parsed. */
  tokenize(text: string): Promise<Uint32Array>
  /**
   * How likely the model finds a text, token by token. What conversations have cached stays.
   * @throws BrasaError `invalid_request`, `context_length_exceeded`, `aborted`
   */
  score(request: ScoreRequest, options?: ScoreOptions): Promise<Score>
  memory(): Promise<MemoryInfo>
  counters(): Promise<DeviceCounters>
  dispose(): Promise<void>
}

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

/** OpenAI's names; those past `stop` are the usual extensions. */
export interface GenerationParameters {
  readonly max_tokens?: number
  readonly temperature?: number
  readonly top_p?: number
  readonly frequency_penalty?: number
  readonly presence_penalty?: number
  readonly seed?: number
  readonly stop?: string | readonly string[]
  readonly top_k?: number
  readonly min_p?: number
  readonly repetition_penalty?: number
  /** 1 to 20: report that many likely tokens at each step. */
  readonly top_logprobs?: number
  /** Go on past the end-of-sequence token until `max_tokens`; for benchmarks. */
  readonly ignore_eos?: boolean
}

export interface ChatCompletionRequest extends GenerationParameters {
  readonly messages: readonly ChatMessage[]
}

/** `prompt` is taken raw, with special tokens parsed. */
export interface CompletionRequest extends GenerationParameters {
  readonly prompt: string
}

export interface ChatCompletions {
  create(
    request: ChatCompletionRequest & { stream: true },
    options?: RequestOptions,
  ): Promise<TokenStream<ChatCompletionChunk>>
  create(
    request: ChatCompletionRequest & { stream?: false },
    options?: RequestOptions,
  ): Promise<ChatCompletion>
}

export interface Completions {
  create(
    request: CompletionRequest & { stream: true },
    options?: RequestOptions,
  ): Promise<TokenStream<CompletionChunk>>
  create(request: CompletionRequest & { stream?: false }, options?: RequestOptions): Promise<Completion>
}

/** Iterate it once; `abort`, or leaving the loop, stops the model. */
export interface TokenStream<Chunk> extends AsyncIterable<Chunk> {
  abort(): void
}

/** `length`: max_tokens or the context is used up. `tool_calls`: the model called one. `abort`: the caller stopped it. */
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

/** A text, special tokens parsed, or its tokens; two tokens at least. */
export interface ScoreRequest {
  readonly text?: string
  readonly tokens?: readonly number[] | Uint32Array
  /** More tokens whose log-probabilities to report: a list for each position but the last, which may be empty. */
  readonly logprobsOf?: readonly (readonly number[])[]
  /** 1 to 100: report that many likely tokens at each position. */
  readonly topLogprobs?: number
}

export interface ScoreOptions extends RequestOptions {
  /** Called with the number of positions that are scored. */
  readonly onProgress?: (numScored: number) => void
}

export interface Score {
  readonly tokens: Uint32Array
  /** One for each token but the first. exp of minus the mean of their `logprob` is the text's perplexity. */
  readonly scores: readonly TokenScore[]
}

/** Natural-log probabilities of what follows the tokens before, exact over the whole vocabulary. */
export interface TokenScore {
  /** The token that does follow. */
  readonly tokenId: number
  readonly logprob: number
  /** Of the tokens that `logprobsOf` lists at this position, in its order. */
  readonly logprobs: readonly number[]
  /** Most likely first; empty unless asked for. */
  readonly topLogprobs: readonly { readonly tokenId: number; readonly logprob: number }[]
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

export interface ChatCompletionChunk {
  readonly id: string
  readonly object: 'chat.completion.chunk'
  readonly created: number
  readonly model: string
  readonly choices: readonly {
    readonly index: number
    readonly delta: {
      readonly role?: 'assistant'
      readonly content?: string
      /** What a model that thinks thinks before its answer. */
      readonly reasoning_content?: string
    }
    readonly finish_reason: FinishReason | null
    readonly logprobs: { readonly content: readonly TokenLogprobs[] } | null
  }[]
  readonly usage?: Usage
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
      readonly content: string
      /** Of a model that thinks, where it did. */
      readonly reasoning_content?: string
    }
    readonly finish_reason: FinishReason
    readonly logprobs: { readonly content: readonly TokenLogprobs[] } | null
  }[]
  readonly usage: Usage
  readonly timings: Timings
}

export interface CompletionChunk {
  readonly id: string
  readonly object: 'text_completion'
  readonly created: number
  readonly model: string
  readonly choices: readonly {
    readonly index: number
    readonly text: string
    /** Ids of the tokens of this chunk. */
    readonly tokens: readonly number[]
    readonly finish_reason: FinishReason | null
    readonly logprobs: { readonly content: readonly TokenLogprobs[] } | null
  }[]
  readonly usage?: Usage
  readonly timings?: Timings
}

export interface Completion extends Omit<CompletionChunk, 'choices' | 'usage' | 'timings'> {
  readonly choices: readonly {
    readonly index: number
    readonly text: string
    readonly tokens: readonly number[]
    readonly finish_reason: FinishReason
    readonly logprobs: { readonly content: readonly TokenLogprobs[] } | null
  }[]
  readonly usage: Usage
  readonly timings: Timings
}
