import { modelsInUse } from './model-lock.ts'
import type { ModelRecord, PartialModel, ShardStore } from './shard-store.ts'
import { storedBytesOf } from './stored-models.ts'

/**
 * Removes what was not used for longest, so that `incoming` fits: an unfinished download or a model, never one that is pinned
 * or that some tab uses. Nothing goes where all of it together would not make room enough.
 * @param alsoReferenced shards to be kept whatever happens
 * @returns the id of what was removed, and how many shards went with it; undefined where there is nothing to remove
 */
export async function evictOne(
  store: ShardStore,
  incoming: string,
  alsoReferenced: ReadonlySet<string>,
): Promise<{ id: string; numShards: number } | undefined> {
  const candidates = await evictable(store, incoming)
  const [oldest] = candidates
  if (oldest === undefined || !(await wouldFit(store, incoming, candidates))) return undefined
  await store.removeModel(oldest.id)
  return { id: oldest.id, numShards: await store.collectGarbage(alsoReferenced) }
}

type Candidate = ModelRecord | PartialModel

/** Least recently used first; an unfinished download that nobody goes on with is the first of all. */
async function evictable(store: ShardStore, incoming: string): Promise<readonly Candidate[]> {
  const [models, partials, used] = await Promise.all([
    store.listModels(),
    store.listPartials(),
    modelsInUse(),
  ])
  const isFree = ({ id }: Candidate) => id !== incoming && !used.has(id)
  const pinned = new Set(models.filter((model) => model.pinned === true).map(({ id }) => id))
  const unpinned = models.filter((model) => isFree(model) && !pinned.has(model.id))
  return [
    ...partials.filter((partial) => isFree(partial) && !pinned.has(partial.id)),
    ...unpinned.sort((a, b) => (a.lastUsedAt ?? 0) - (b.lastUsedAt ?? 0)),
  ]
}

/** As far as the browser and the download tell; where they do not, trying is how to find out. */
async function wouldFit(
  store: ShardStore,
  incoming: string,
  candidates: readonly Candidate[],
): Promise<boolean> {
  const partial = await store.getPartial(incoming)
  const { quota, usage } = (await globalThis.navigator?.storage?.estimate?.()) ?? {}
  if (partial === undefined || quota === undefined || usage === undefined) return true
  const files = Object.values(partial.files)
  const wholeBytes = partial.sizeBytes ?? files.reduce((sum, { size }) => sum + size, 0)
  const [ownBytes, ...freed] = await Promise.all(
    [partial, ...candidates].map((each) => storedBytesOf(store, each)),
  )
  const freeBytes = quota - usage + freed.reduce((sum, bytes) => sum + bytes, 0)
  return wholeBytes - ownBytes! <= freeBytes
}
