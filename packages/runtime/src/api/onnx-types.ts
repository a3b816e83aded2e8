import type { EngineWarning, LoadProgress, RequestOptions } from './load-types.ts'

/**
 * Where an ONNX model comes from: a catalogue name, a URL of an .onnx file or of a shard folder's manifest.json, a `File`,
 * or a list of the files that belong together (the .onnx, its external data, tokenizer.json, config.json).
 */
export type OnnxReference = string | File | readonly (string | File)[]

export type TensorType =
  | 'float32'
  | 'float64'
  | 'float16'
  | 'int8'
  | 'uint8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'bool'
  | 'string'

/** float16 has its bits in a Uint16Array; bool has 0 and 1 in a Uint8Array. */
export type TensorData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | readonly string[]

export interface Tensor {
  readonly type: TensorType
  readonly dims: readonly number[]
  readonly data: TensorData
}

/** A tensor to feed; `type` is the input's own where it is left out. */
export interface TensorFeed {
  readonly type?: TensorType
  readonly dims: readonly number[]
  readonly data: TensorData
}

/** An input or output as the model describes it. */
export interface ValueInfo {
  readonly name: string
  readonly type: TensorType
  /** A number, the name of a dimension that is the same wherever the name is, or null where the model does not say. */
  readonly dims: readonly (number | string | null)[]
}

/** What computes: the CPU, or the GPU with the CPU for operators that it lacks. */
export type OnnxProvider = 'wasm' | 'webgpu'

export interface SessionOptions extends RequestOptions {
  /** `wasm` by default. `webgpu` pays for large models and batches on a GPU; it needs JavaScript promise integration. */
  readonly provider?: OnnxProvider
  /**
   * Joins up to so many single-row requests of the same shape along dimension 0; 1, the default, joins none. Only for models
   * whose rows do not depend on one another.
   */
  readonly maxBatch?: number
  /** How long a request waits for others to join it, in milliseconds; 5 by default. */
  readonly maxWaitMs?: number
  readonly onProgress?: (progress: LoadProgress) => void
  readonly onWarning?: (warning: EngineWarning) => void
}

/** A loaded ONNX model. It survives its worker: the next run loads it again from this device's storage. */
export interface OnnxSession {
  readonly inputs: readonly ValueInfo[]
  readonly outputs: readonly ValueInfo[]
  /**
   * Runs the model once. The feeds' buffers move to the worker and are empty afterwards, save those of which a tensor is
   * only a part: those parts are copied. Pass a copy of what you want to keep.
   * @throws BrasaError `invalid_request`, which says what was expected, `disposed`, `worker_lost`, `device_lost`, `internal`
   */
  run(feeds: Readonly<Record<string, TensorFeed>>): Promise<Readonly<Record<string, Tensor>>>
  release(): Promise<void>
}

export interface Sessions {
  /**
   * Loads an ONNX model, bringing it into this browser's storage first where it is not there yet.
   * @throws BrasaError `not_an_onnx`, `unsupported_operator`, `malformed_model`, `truncated_model`, `invalid_request`,
   *   `unknown_model`, `aborted`, `webgpu_unavailable` for that provider, and what networks and storage throw
   */
  create(reference: OnnxReference, options?: SessionOptions): Promise<OnnxSession>
}

interface TextModelRequest {
  /** Files of the model: an .onnx, tokenizer.json and, to classify, config.json. */
  readonly model: OnnxReference
  readonly input: string | readonly string[]
  /** Cuts texts that are too long instead of refusing them. */
  readonly truncate?: boolean
  /** As of a session: `wasm` by default. */
  readonly provider?: OnnxProvider
}

export interface EmbeddingRequest extends TextModelRequest {}

export interface TextUsage {
  readonly prompt_tokens: number
  readonly total_tokens: number
}

export interface EmbeddingResponse {
  readonly object: 'list'
  readonly model: string
  /** In the order of the input. */
  readonly data: readonly {
    readonly object: 'embedding'
    readonly index: number
    /** Of length 1. */
    readonly embedding: Float32Array
  }[]
  readonly usage: TextUsage
}

export interface OnnxRequestOptions extends RequestOptions {
  /** While the model is loaded. */
  readonly onProgress?: (progress: LoadProgress) => void
  readonly onWarning?: (warning: EngineWarning) => void
}

export interface Embeddings {
  /**
   * Embeds texts: mean over the tokens, scaled to length 1. The model is loaded at the first call and kept.
   * @throws BrasaError `invalid_request`, `context_length_exceeded`, and what `Sessions.create` throws
   */
  create(request: EmbeddingRequest, options?: OnnxRequestOptions): Promise<EmbeddingResponse>
}

export interface ClassifyRequest extends TextModelRequest {
  /** The model that makes the embeddings, where the classifier takes embeddings instead of tokens. */
  readonly embedder?: OnnxReference
  /** `softmax` for one label a text, `sigmoid` for any number; config.json's `problem_type` decides by default. */
  readonly activation?: 'softmax' | 'sigmoid'
}

export interface LabelScore {
  readonly label: string
  /** 0 to 1. */
  readonly score: number
}

export interface ClassifyResponse {
  readonly model: string
  /** In the order of the input. */
  readonly data: readonly (LabelScore & {
    readonly index: number
    /** Every label, the likeliest first. */
    readonly scores: readonly LabelScore[]
  })[]
  readonly usage: TextUsage
}

/** Labels texts with a sequence classifier. Throws what `Embeddings.create` does. */
export type Classify = (request: ClassifyRequest, options?: OnnxRequestOptions) => Promise<ClassifyResponse>
