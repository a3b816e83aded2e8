/** Where a load is. Phases come in this order; a cached model skips `download`. */
export interface LoadProgress {
  readonly phase: 'download' | 'verify' | 'upload' | 'compile' | 'ready'
  /** Of this phase. */
  readonly loadedBytes: number
  readonly totalBytes: number
  /** Measured over the last seconds; undefined until there is something to measure. */
  readonly bytesPerSecond?: number
  readonly secondsLeft?: number
  /** Bytes of this model that were in the shard store when the load began. */
  readonly cachedBytes: number
}

export interface EngineWarning {
  /** `backend_changed`: another backend than before answers from now on; `engine.device` says which and why. */
  readonly code: 'quota_exceeded' | 'persist_denied' | 'storage_unavailable' | 'backend_changed'
  readonly message: string
}

export interface RequestOptions {
  readonly signal?: AbortSignal
}
