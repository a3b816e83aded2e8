import { type ModelRecord, manifestHashes, type ShardStore } from './shard-store.ts'

/** A model in the shard store, or the part of one that has arrived. */
export interface StoredModelInfo {
  /** What `openModel` takes to open it again. */
  readonly id: string
  /** Bytes its shards take; models that share shards both count them. */
  readonly sizeBytes: number
  /** False where a download has not finished. */
  readonly isComplete: boolean
}

/** What is stored, finished or not, by id. */
export async function listModels(store: ShardStore): Promise<readonly StoredModelInfo[]> {
  const [models, partials, stored] = await Promise.all([
    store.listModels(),
    store.listPartials(),
    store.shardHashes(),
  ])
  const complete = models.map((model) => ({
    id: model.id,
    sizeBytes: shardSizes(model),
    isComplete: manifestHashes(model.manifest).every((hash) => stored.has(hash)),
  }))
  const known = new Set(models.map((model) => model.id))
  const unfinished = await Promise.all(
    partials
      .filter((partial) => !known.has(partial.id))
      .map(async (partial) => {
        const sizes = await Promise.all(
          partial.hashes
            .filter((hash) => stored.has(hash))
            .map(async (hash) => (await store.getShard(hash))?.size ?? 0),
        )
        return { id: partial.id, sizeBytes: sizes.reduce((sum, size) => sum + size, 0), isComplete: false }
      }),
  )
  return [...complete, ...unfinished].sort((a, b) => a.id.localeCompare(b.id))
}

/** Removes a model, or an unfinished download, and every shard that nothing else needs. Unknown ids are no error. */
export async function removeModel(store: ShardStore, id: string): Promise<void> {
  await store.removeModel(id)
  await store.collectGarbage()
}

function shardSizes(model: ModelRecord): number {
  const sizes = new Map(
    model.manifest.files.flatMap((file) => file.shards.map((shard) => [shard.sha256, shard.size])),
  )
  return [...sizes.values()].reduce((sum, size) => sum + size, 0)
}
