import type { TransformerSpec } from './transformer-spec.ts'

/**
 * A compiled model. The unit of work is a batch of (sequence, position) rows, also when the batch is one.
 *
 * A sequence is a journal of tokens whose keys and values the backend holds. `append` adds prompt tokens. `step` adds one
 * token a row and samples the next one on the backend; the sampled token is fed back there, so that a caller may have
 * several steps in flight and read their tokens later.
 */
export interface Executor {
  readonly spec: TransformerSpec
  readonly device: DeviceInfo
  /** Tokens one sequence may hold; at most `spec.contextLength`. */
  readonly contextLength: number
  /** Rows one `step` may have. */
  readonly maxBatchSize: number
  /** Bytes held now. */
  memory(): MemoryInfo

  createSequence(): Sequence
  /** A second sequence with the same tokens. */
  fork(sequence: Sequence): Sequence
  /**
   * Forgets all but the first `length` tokens. Steps in flight must have been read. A model with a sliding window holds only
   * the window: going back further than `rollbackTokens` behind the longest length so far may leave nothing, and
   * `sequence.length` is then 0. Whoever rolls back reads it and appends what is missing.
   */
  rollback(sequence: Sequence, length: number): void
  free(sequence: Sequence): void

  /** How `step` samples for this sequence from now on. `history` is every token that penalties should see, oldest first. */
  configureSampling(sequence: Sequence, settings: SamplingSettings, history: PenaltyHistory): void

  /**
   * Adds prompt tokens to the sequence, in chunks, computing keys and values and no logits.
   * @throws BrasaError `context_length_exceeded`, `aborted` (the sequence keeps the chunks that are done), `device_lost`
   */
  append(sequence: Sequence, tokens: Uint32Array, options?: AppendOptions): Promise<void>

  /**
   * Adds one token to each row's sequence and samples its successor. Returns at once with the work enqueued; the promise
   * settles when the tokens were read. A row without `token` takes the one its sequence's last step sampled, which never
   * leaves the backend on the way. Steps settle in the order they were enqueued; at most four may be in flight.
   */
  step(rows: readonly StepRow[]): Promise<readonly StepResult[]>

  /** Frees everything. Steps in flight reject with `disposed`. */
  dispose(): void
}

export interface Sequence {
  readonly id: number
  /** Tokens held, those of steps in flight included. */
  readonly length: number
}

/** How far behind its longest length every sequence can be rolled back without losing keys that a window needs. */
export const rollbackTokens = 64

export interface StepRow {
  readonly sequence: Sequence
  /** The token to add; left out, the token that the sequence's previous step sampled. */
  readonly token?: number
  /** How many of the most likely tokens to report. Reading them costs a copy of the logits: leave it 0 where speed counts. */
  readonly topLogprobs?: number
  /** Tokens whose log-probabilities to report, at the same cost. */
  readonly logprobsOf?: readonly number[]
  /**
   * Tokens that may be sampled: token t is bit t & 31 of word t >> 5; undefined is all of them. Called once, when the step's forward
   * pass is under way and before it samples, so that the mask is made while the device computes. Must not fail. Log-probabilities
   * stay those of the model.
   */
  readonly allowedTokens?: () => AllowedTokens | Promise<AllowedTokens>
}

export type AllowedTokens = Uint32Array | undefined

export interface StepResult {
  /** The sampled token. */
  readonly token: number
  /** Natural-log probabilities before penalties and temperature, most likely first. Empty unless asked for. */
  readonly topLogprobs: readonly TokenLogprob[]
  /** The same, exact over the whole vocabulary, of the tokens that `logprobsOf` named, in its order. */
  readonly logprobs: readonly number[]
}

export interface TokenLogprob {
  readonly token: number
  readonly logprob: number
}

export interface AppendOptions {
  readonly signal?: AbortSignal
  /** Called after each chunk with the number of tokens of this call that are done. */
  readonly onProgress?: (numTokens: number) => void
}

/** Validated by `sampling/`; backends may rely on the ranges. */
export interface SamplingSettings {
  /** 0 is greedy; else logits are divided by it. At most 5. */
  readonly temperature: number
  /** Keep the k most likely tokens; 0 keeps all. */
  readonly topK: number
  /** Keep the smallest set of most likely tokens whose probability reaches topP; 1 keeps all. */
  readonly topP: number
  /** Drop tokens less likely than minP times the most likely one; 0 keeps all. */
  readonly minP: number
  /** Divides positive and multiplies negative logits of tokens in the prompt or the answer; 1 is off. */
  readonly repetitionPenalty: number
  /** Subtracts this times a token's count in the answer. */
  readonly frequencyPenalty: number
  /** Subtracts this from every token that is in the answer. */
  readonly presencePenalty: number
  /**
   * Added to the logits before anything else, a token at most once: up to 100 either way. From 100 on a token is all but certain,
   * from -100 down all but impossible.
   */
  readonly logitBias: readonly (readonly [token: number, bias: number])[]
  /** 32-bit unsigned. The same seed, settings and logits give the same tokens on every backend. */
  readonly seed: number
}

/** How a sequence samples until it is configured otherwise. */
export const greedySettings: SamplingSettings = {
  temperature: 0,
  topK: 0,
  topP: 1,
  minP: 0,
  repetitionPenalty: 1,
  frequencyPenalty: 0,
  presencePenalty: 0,
  logitBias: [],
  seed: 0,
}

export interface PenaltyHistory {
  readonly promptTokens: Uint32Array
  readonly answerTokens: Uint32Array
}

export interface DeviceInfo {
  readonly backend: 'webgpu' | 'wasm' | 'ort' | 'reference'
  /** The adapter's own words, such as "apple metal-3" or "google swiftshader". */
  readonly adapter: string
  /** Why this backend and adapter were taken, in a sentence. */
  readonly reason: string
  /** WebGPU or WASM features in use. */
  readonly features: readonly string[]
  /** How the linear layers compute, where the backend had to choose. */
  readonly linears?: LinearPrecision
  /** CPU threads that compute; left out where the GPU does. */
  readonly threads?: number
  /** Milliseconds that one layer of a decode step took here by the number of threads, where it was measured which is best. */
  readonly threadTimes?: Readonly<Record<number, number>>
  /** What `auto` measured on this device before it chose; left out where there was nothing to choose from. */
  readonly layerTimes?: LayerTimes
  /** How decode steps are built, where the backend had to choose. */
  readonly decode?: DecodeChoice
}

/** Milliseconds for one layer of a decode step. */
export interface LayerTimes {
  readonly webgpu: number
  readonly wasm: number
}

export interface DecodeChoice {
  readonly variant: DecodeVariant
  /** Why this one, in a sentence or two with the figures. */
  readonly reason: string
  /** Milliseconds that each candidate took for one layer of a decode step on this adapter. */
  readonly layerMs: Readonly<Partial<Record<DecodeVariant, number>>>
  /** Why a candidate may not be used: its results differ from those of `base`, or its kernels do not compile. */
  readonly refused: Readonly<Partial<Record<DecodeVariant, string>>>
}

export interface LinearPrecision {
  readonly format: 'f32' | 'int8'
  /** Bytes of the linear layers' weights in this format. */
  readonly weightBytes: number
  /** Root mean square error of a product relative to f32, measured on this model's own weights when it was loaded; 0 for f32. */
  readonly relativeError: number
}

/**
 * How WebGPU builds a decode step; all give the same tokens.
 * - `base`: a dispatch for each operation.
 * - `fused`: norms, RoPE, the KV write and activations inside the products; kernels for GPUs.
 * - `quads`: the same with kernels for subgroups of four lanes and no barriers, as the software adapter likes them.
 */
export type DecodeVariant = 'base' | 'fused' | 'quads'

/** What a backend with integer kernels multiplies weights by. */
export type ActivationPrecision = 'int8' | 'int16' | 'f32'

export interface MemoryInfo {
  readonly weightBytes: number
  readonly kvCacheBytes: number
  /** Activations, tables and staging. */
  readonly otherBytes: number
}

/** Work a backend did since it was compiled. The benchmark takes differences. */
export interface DeviceCounters {
  readonly dispatches: number
  readonly submits: number
  readonly buffersCreated: number
  readonly bindGroupsCreated: number
  readonly queueWrites: number
  /** Bytes mapped back to the host. */
  readonly bytesRead: number
}
