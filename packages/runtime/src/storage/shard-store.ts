import type { Manifest } from './manifest.ts'

/**
 * Where shards, and the records that say what they make up, are kept. IndexedDB, or memory where there is none or no room.
 * Shards travel as Blobs: Chromium writes one to IndexedDB at 105 to 155 MB/s and an ArrayBuffer at 68 to 80, and a Blob's
 * bytes are off the JS heap until they are hashed.
 */
export interface ShardStore {
  /** Every shard's key. */
  shardHashes(): Promise<Set<string>>
  /** The stored bytes, which the caller must hash before use: no browser notices a bit that flipped on the disk. */
  getShard(sha256: string): Promise<Blob | undefined>
  /**
   * Keeps a verified shard, and in the same transaction the record that says so: garbage collection never sees one
   * without the other.
   */
  commitShard(sha256: string, shard: Blob, partial?: PartialModel): Promise<void>

  getPartial(id: string): Promise<PartialModel | undefined>
  putPartial(partial: PartialModel): Promise<void>
  listPartials(): Promise<readonly PartialModel[]>

  getModel(id: string): Promise<ModelRecord | undefined>
  listModels(): Promise<readonly ModelRecord[]>
  /**
   * Writes the model's record last and durably, and drops its partial one: a shard without a manifest is garbage to
   * collect, a manifest without shards is a lie.
   * @throws BrasaError `storage_unavailable` if a shard it names is not there
   */
  commitModel(model: ModelRecord): Promise<void>
  /** Forgets the model and its partial download; its shards stay until they are collected. */
  removeModel(id: string): Promise<void>
  /** Changes what is noted of a stored model; false where there is none. */
  noteModel(id: string, notes: Partial<ModelNotes>): Promise<boolean>

  /** Drops every shard that no model, no partial download and nothing in `alsoReferenced` refers to; returns how many. */
  collectGarbage(alsoReferenced?: ReadonlySet<string>): Promise<number>

  /** Why this store holds less than it should, once it does; and what was evicted since this was last asked. */
  warnings(): readonly StorageWarning[]
}

/** What decides which model goes when there is no room. */
export interface ModelNotes {
  /** Milliseconds since 1970. */
  readonly lastUsedAt: number
  /** A pinned model is never evicted. */
  readonly pinned: boolean
}

export interface ModelRecord extends Partial<ModelNotes> {
  /** Catalogue name or the reference the model was loaded by. */
  readonly id: string
  readonly manifest: Manifest
  /** Of each file: where a damaged shard can be had again. */
  readonly origins: readonly FileOrigin[]
}

export type FileOrigin =
  | { readonly kind: 'folder'; readonly manifestUrl: string }
  | { readonly kind: 'url'; readonly url: string; readonly validator?: string }
  | { readonly kind: 'file' }

/** A download that has not finished: what must survive garbage collection and need not be fetched again. */
export interface PartialModel {
  readonly id: string
  /** Shards it has or will have. */
  readonly hashes: readonly string[]
  /** Files whose hashes only the download tells, by their place in the model. */
  readonly files: Readonly<Record<number, PartialFile>>
  /** Of the whole model, where that is known from the start. */
  readonly sizeBytes?: number
}

export interface PartialFile {
  readonly url: string
  readonly size: number
  /** A strong ETag or a Last-Modified date: committed ranges count only while the server still names the same. */
  readonly validator?: string
  /** By shard, the hash under which its bytes are committed. */
  readonly shards: readonly (string | null)[]
}

export interface StorageWarning {
  readonly code:
    | 'quota_exceeded'
    | 'persist_denied'
    | 'storage_unavailable'
    | 'model_evicted'
    | 'shard_repaired'
  readonly message: string
}

export function referencedHashes(
  models: readonly ModelRecord[],
  partials: readonly PartialModel[],
): Set<string> {
  const hashes = new Set(partials.flatMap((partial) => partial.hashes))
  for (const model of models) for (const hash of manifestHashes(model.manifest)) hashes.add(hash)
  return hashes
}

export function manifestHashes(manifest: Manifest): readonly string[] {
  return manifest.files.flatMap((file) => file.shards.map((shard) => shard.sha256))
}
