import type { ModelRecord, PartialModel, ShardStore } from './shard-store.ts'

/** A model in the shard store, or the part of one that has arrived. */
export interface StoredModelInfo {
  /** What `openModel` takes to open it again. */
  readonly id: string
  /** Bytes its shards take; models that share shards both count them. */
  readonly sizeBytes: number
  /** Of the whole model, as far as it is known. */
  readonly totalBytes?: number
  /** False where a download has not finished. */
  readonly isComplete: boolean
  readonly isPinned: boolean
  /** Milliseconds since 1970, where it was used. */
  readonly lastUsedAt?: number
}

/** What is stored, finished or not, by id. */
export async function listModels(store: ShardStore): Promise<readonly StoredModelInfo[]> {
  const [models, partials, stored] = await Promise.all([
    store.listModels(),
    store.listPartials(),
    store.shardHashes(),
  ])
  const complete = models.map(({ id, manifest, pinned = false, lastUsedAt }) => {
    const sizes = shardSizes(manifest)
    const totalBytes = sumOf(sizes.values())
    const sizeBytes = sumOf([...sizes].map(([hash, size]) => (stored.has(hash) ? size : 0)))
    const isComplete = sizeBytes === totalBytes
    const used = lastUsedAt === undefined ? {} : { lastUsedAt }
    return { id, sizeBytes, totalBytes, isComplete, isPinned: pinned, ...used }
  })
  const known = new Set(models.map((model) => model.id))
  const unfinished = await Promise.all(
    partials
      .filter((partial) => !known.has(partial.id))
      .map(async (partial) => {
        const { id, files, sizeBytes: whole = sumOf(Object.values(files).map(({ size }) => size)) } = partial
        const sizeBytes = await storedBytesOf(store, partial)
        const total = whole === 0 ? {} : { totalBytes: whole }
        return { id, sizeBytes, ...total, isComplete: false, isPinned: false }
      }),
  )
  return [...complete, ...unfinished].sort((a, b) => a.id.localeCompare(b.id))
}

/** Removes a model, or an unfinished download, and every shard that nothing else needs. Unknown ids are no error. */
export async function removeModel(store: ShardStore, id: string): Promise<void> {
  await store.removeModel(id)
  await store.collectGarbage()
}

/** What the store holds of a model or of an unfinished download. */
export async function storedBytesOf(store: ShardStore, model: ModelRecord | PartialModel): Promise<number> {
  const stored = await store.shardHashes()
  if ('manifest' in model) {
    return sumOf([...shardSizes(model.manifest)].map(([hash, size]) => (stored.has(hash) ? size : 0)))
  }
  const here = model.hashes.filter((hash) => stored.has(hash))
  return sumOf(await Promise.all(here.map(async (hash) => (await store.getShard(hash))?.size ?? 0)))
}

/** By hash: a shard that is there twice takes its bytes once. */
function shardSizes({ files }: ModelRecord['manifest']): ReadonlyMap<string, number> {
  return new Map(files.flatMap((file) => file.shards.map((shard) => [shard.sha256, shard.size])))
}

function sumOf(sizes: Iterable<number>): number {
  let sum = 0
  for (const size of sizes) sum += size
  return sum
}
