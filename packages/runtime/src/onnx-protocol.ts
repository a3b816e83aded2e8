import type { EngineWarning, LoadProgress } from './api/load-types.ts'
import type {
  ClassifyRequest,
  ClassifyResponse,
  EmbeddingRequest,
  EmbeddingResponse,
  OnnxProvider,
  OnnxReference,
  Tensor,
  TensorFeed,
  ValueInfo,
} from './api/onnx-types.ts'

export type { EngineWarning, LoadProgress } from './api/load-types.ts'
export type {
  ClassifyRequest,
  ClassifyResponse,
  EmbeddingRequest,
  EmbeddingResponse,
  LabelScore,
  OnnxProvider,
  OnnxReference,
  Tensor,
  TensorData,
  TensorFeed,
  TensorType,
  ValueInfo,
} from './api/onnx-types.ts'

/**
 * Everything of ONNX models that crosses between page and worker. They have a worker of their own, so that a long run stops
 * no answer of a language model. Tensors' buffers are transferred.
 */
export interface OnnxService {
  ping(): void
  /** @param call by which `abortCall` knows it; unique in the worker */
  openSession(call: CallId, request: SessionRequest, place: Place, events: LoadEvents): Promise<SessionInfo>
  runSession(session: SessionId, feeds: Feeds): Promise<Tensors>
  releaseSession(session: SessionId): Promise<void>
  embed(
    call: CallId,
    request: WithProvider<EmbeddingRequest>,
    place: Place,
    events: LoadEvents,
  ): Promise<EmbeddingResponse>
  classify(
    call: CallId,
    request: WithProvider<ClassifyRequest>,
    place: Place,
    events: LoadEvents,
  ): Promise<ClassifyResponse>
  /** The call then fails with `aborted`, unless it is done. */
  abortCall(call: CallId): void
}

/** A request whose provider is settled. */
export type WithProvider<Request> = Request & { readonly provider: OnnxProvider }

export type CallId = number
export type SessionId = number
export type Feeds = Readonly<Record<string, TensorFeed>>
export type Tensors = Readonly<Record<string, Tensor>>

/** What relative references are relative to. */
export interface Place {
  /** Absolute. */
  readonly catalogueUrl: string
  /** The page's own URL: the worker's is another. */
  readonly baseUrl: string
}

export interface SessionRequest {
  readonly reference: OnnxReference
  readonly provider: OnnxProvider
  readonly maxBatch: number
  readonly maxWaitMs: number
}

export interface SessionInfo {
  readonly id: SessionId
  readonly inputs: readonly ValueInfo[]
  readonly outputs: readonly ValueInfo[]
}

/** Proxied callbacks; storage reports ten times a second at most. */
export interface LoadEvents {
  onProgress(progress: LoadProgress): void
  onWarning(warning: EngineWarning): void
}
