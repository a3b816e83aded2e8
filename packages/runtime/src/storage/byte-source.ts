/**
 * Bytes that can be read in ranges: a model in the shard store, a URL that answers Range, a `File`, a buffer in a test.
 * Everything above storage reads models through this and never learns where they live.
 */
export interface ByteSource {
  /** Total length in bytes. */
  readonly size: number
  /**
   * Exactly `length` bytes from `offset`. The caller owns the result's bytes and may keep or transfer them.
   * @throws BrasaError `truncated_model` if the range passes `size`; `aborted`; what the source itself throws
   */
  read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>
}
