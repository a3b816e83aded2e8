/**
 * Where a load is. Phases come in this order; a cached model skips `download`, and `wait` is for a model that another tab is
 * loading: this one takes it from there.
 */
export interface LoadProgress {
  readonly phase: 'wait' | 'download' | 'verify' | 'upload' | 'compile' | 'ready'
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
  /**
   * `backend_changed`: another backend than before answers from now on; `engine.device` says which and why. `quota_exceeded`,
   * `storage_unavailable`: the model runs from memory. `model_evicted`: models that were not used for longest made room.
   * `shard_repaired`: a stored part was damaged or gone, and was fetched again. `persist_denied`: the browser may remove what is stored.
   */
  readonly code:
    | 'quota_exceeded'
    | 'persist_denied'
    | 'storage_unavailable'
    | 'model_evicted'
    | 'shard_repaired'
    | 'backend_changed'
  readonly message: string
}

export interface RequestOptions {
  readonly signal?: AbortSignal
}
