import type { DeviceCounters, DeviceInfo, MemoryInfo } from '../backends/executor.ts'
import type { ChatCompletions, ChatMessage, Completions } from './completion-types.ts'
import type { InspectOptions, ModelInspection } from './inspect-types.ts'
import type { EngineWarning, LoadProgress, RequestOptions } from './load-types.ts'
import type { Classify, Embeddings, Sessions } from './onnx-types.ts'
import type { ResponsesApi } from './response-types.ts'

export type * from './completion-types.ts'
export type { InspectOptions, MemoryEstimate, ModelInspection } from './inspect-types.ts'
export type { EngineWarning, LoadProgress, RequestOptions } from './load-types.ts'
export type * from './response-types.ts'
export type * from './tool-types.ts'

/**
 * A catalogue name, `hf:owner/repo/file.gguf`, a URL of a manifest.json or a .gguf, a `File`, or a split GGUF's parts in order. The
 * address of one part, `…-00001-of-00003.gguf`, stands for all of them. What comes from the hub is compared with the size and the
 * SHA-256 that the hub names.
 */
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
   * What WebAssembly multiplies quantised weights by: activations of 15 bits, the default; of 8 before most of them, faster and
   * coarser; or as they are, slower, and then keys and values are kept in 32 bits too, not in 16.
   */
  readonly precision?: 'int8' | 'int16' | 'f32'
  /**
   * Threads that WebAssembly computes with; as many as there are cores at most. If left out, one, half of the cores or all of them, up
   * to 8: the first load measures which is fastest and later ones remember, and `engine.device.threadTimes` has the figures. A page
   * that is not cross-origin isolated has one.
   */
  readonly threads?: number
  /**
   * How WebGPU builds a decode step: `base`, a dispatch for each operation; `fused`, five a layer, for GPUs; `quads`, for adapters
   * with subgroups of four lanes. All give the same tokens. By default the fastest on this adapter, which the first load measures
   * and later ones remember; `engine.device.decode` tells.
   */
  readonly variant?: 'base' | 'fused' | 'quads'
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
  /** That are here. */
  readonly sizeBytes: number
  /** Of the whole model, as far as that is known. */
  readonly totalBytes?: number
  /** False where a download has not finished; loading the model again goes on with it. */
  readonly isComplete: boolean
  /** Never removed to make room for another: `pinStoredModel`. */
  readonly isPinned: boolean
  /** When it was loaded last, in milliseconds since 1970; left out where that is not known. */
  readonly lastUsedAt?: number
}

/** A model that a catalogue names. */
export interface CatalogueEntry {
  /** What `createEngine` takes as `model`. */
  readonly id: string
  /** For people. */
  readonly name: string
  readonly architecture: string
  /** Weights in all; of some, in words. */
  readonly parameters: number | string
  readonly quantisation: string
  readonly licence: string
  /** Tokens, at most. */
  readonly contextLength: number
  readonly sizeBytes: number
  /** What it takes of memory on the CPU with a conversation of so many tokens, as far as the catalogue says it. */
  readonly memory?: { readonly bytes: number; readonly contextLength: number }
  /** Where terms stand that a person must accept before the model is fetched. */
  readonly terms?: string
}

export interface Engine {
  /** @throws BrasaError `invalid_request`, as all that needs a language model does in an engine without one */
  readonly model: ModelInfo
  /** What answers, and why. Changes with the warning `backend_changed`. */
  readonly device: DeviceInfo
  /**
   * OpenAI's API by its addresses, for clients that take a `fetch`: `/v1/chat/completions`, `/v1/completions`, `/v1/responses`,
   * `/v1/embeddings`, `/v1/models`, and `/tokenize`, `/detokenize`, `/health`, `/metrics`, `/openapi.json`. Whatever the host is.
   */
  readonly fetch: typeof fetch
  readonly chat: { readonly completions: ChatCompletions }
  readonly completions: Completions
  readonly responses: ResponsesApi
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
  /** Tokens of a text, special tokens parsed; or of a conversation as the model reads it, up to where its answer begins. */
  tokenize(text: string | readonly ChatMessage[]): Promise<Uint32Array>
  /**
   * How likely the model finds a text, token by token. What conversations have cached stays.
   * @throws BrasaError `invalid_request`, `context_length_exceeded`, `aborted`
   */
  score(request: ScoreRequest, options?: ScoreOptions): Promise<Score>
  memory(): Promise<MemoryInfo>
  counters(): Promise<DeviceCounters>
  dispose(): Promise<void>
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
