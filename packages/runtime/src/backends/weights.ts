import type { TensorInfo } from '../formats/gguf.ts'

/** The tensors of one model, in the file's own encoding, read once from start to end by a backend that compiles it. */
export interface Weights {
  readonly tensors: ReadonlyMap<string, TensorInfo>
  /** All bytes of one tensor: for norms and other small ones. */
  read(name: string, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>
  /**
   * Every tensor's bytes in file order. A piece is a whole number of quantisation blocks, at most one shard long, and
   * its bytes are valid until the next piece is asked for: the JS heap never holds more than two shards.
   */
  stream(signal?: AbortSignal): AsyncIterable<TensorPiece>
}

export interface TensorPiece {
  readonly tensor: TensorInfo
  /** Where the piece starts in the tensor, in bytes; a multiple of the type's block size. */
  readonly byteOffset: number
  readonly bytes: Uint8Array
}
