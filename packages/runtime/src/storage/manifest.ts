/**
 * What a model is made of: its files, and for each the shards that add up to it. The same document is the `manifest.json`
 * of a shard folder and the record in the shard store; there it is written last, so that a manifest is a promise that all
 * its shards are in place.
 */
export interface Manifest {
  readonly version: 1
  /** Catalogue name or the reference the model was loaded by. */
  readonly name: string
  /** One file, or the parts of a split GGUF in order. */
  readonly files: readonly ManifestFile[]
}

export interface ManifestFile {
  /** Basename, for people. */
  readonly name: string
  readonly size: number
  /** Hex SHA-256 of the whole file where it is known. */
  readonly sha256?: string
  readonly shards: readonly ManifestShard[]
}

export interface ManifestShard {
  readonly size: number
  /** Lower-case hex. The shard store's key. */
  readonly sha256: string
  /** Relative to the manifest's own URL, in a shard folder. */
  readonly path?: string
}

/** What a model's files are: one GGUF or the parts of one; or an ONNX file with what belongs to it. */
export type ModelFormat = 'gguf' | 'onnx'

/** Bytes a shard has, save a file's last one. */
export const shardSize = 16 * 1024 * 1024
