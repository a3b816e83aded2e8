import { isBrasaError } from '../errors.ts'
import { evictOne } from './eviction.ts'
import { openIndexedDbStore } from './indexeddb-store.ts'
import { createMemoryStore } from './memory-store.ts'
import {
  type ModelRecord,
  manifestHashes,
  type PartialModel,
  referencedHashes,
  type ShardStore,
  type StorageWarning,
} from './shard-store.ts'

/** The store a page uses: IndexedDB, overflowing into memory; memory alone where there is no IndexedDB. */
export async function openShardStore(databaseName?: string): Promise<ShardStore> {
  try {
    return overflowIntoMemory(await openIndexedDbStore(databaseName))
  } catch (error) {
    if (!isBrasaError(error)) throw error
    return createMemoryStore({ warning: { code: 'storage_unavailable', message: error.message } })
  }
}

/**
 * `primary` until it refuses a write although models that were not used for longest have made room, from then on memory for what is
 * new. Nothing is lost: what `primary` holds stays there and is read from there, its record of a partial download too, so
 * that a later visit goes on from it.
 */
export function overflowIntoMemory(primary: ShardStore): ShardStore {
  let warning: StorageWarning | undefined
  /** Since it was last asked. */
  let evicted: readonly string[] = []
  /** Holds the shards that did not fit, and the models and partial downloads that need one of those. */
  const memory = createMemoryStore({ heldElsewhere: primary.shardHashes })
  /** Shards of `primary` that models in memory rely on. */
  const heldInMemory = async () => referencedHashes(await memory.listModels(), await memory.listPartials())

  /** Writes what belongs to the model `id`; while there is no room, others go. */
  async function evictFor(id: string, write: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await write()
      } catch (error) {
        if (!isFull(error)) throw error
        const gone = await evictOne(primary, id, await heldInMemory())
        if (gone === undefined) throw error
        evicted = [...evicted, gone.id]
        if (gone.numShards > 0 && (await onceFreed(write))) return
      }
    }
  }

  async function orInMemory(id: string, write: (store: ShardStore) => Promise<void>): Promise<void> {
    if (warning === undefined) {
      try {
        return await evictFor(id, () => write(primary))
      } catch (error) {
        // Such as a shard another tab removed: a fact about the model, not about the room there is.
        if (isBrasaError(error)) throw error
        warning = warningFor(error)
      }
    }
    await write(memory)
  }

  return {
    shardHashes: async () => (await primary.shardHashes()).union(await memory.shardHashes()),
    getShard: async (sha256) => (await memory.getShard(sha256)) ?? (await primary.getShard(sha256)),
    commitShard: async (sha256, shard, partial) => {
      if (partial !== undefined) {
        return orInMemory(partial.id, (store) => store.commitShard(sha256, shard, partial))
      }
      // In the place of one that was damaged: it belongs to a model that is in use, and nothing goes for it.
      await primary.commitShard(sha256, shard).catch(() => memory.commitShard(sha256, shard))
    },

    getPartial: async (id) => (await memory.getPartial(id)) ?? (await primary.getPartial(id)),
    putPartial: (partial) => orInMemory(partial.id, (store) => store.putPartial(partial)),
    listPartials: async () => byId(await primary.listPartials(), await memory.listPartials()),

    getModel: async (id) => (await memory.getModel(id)) ?? (await primary.getModel(id)),
    listModels: async () => byId(await primary.listModels(), await memory.listModels()),
    commitModel: async (model) => {
      const inMemory = await memory.shardHashes()
      const hashes = manifestHashes(model.manifest)
      if (!hashes.some((hash) => inMemory.has(hash))) {
        try {
          await evictFor(model.id, () => primary.commitModel(model))
          return await memory.removeModel(model.id)
        } catch (error) {
          if (isBrasaError(error)) throw error
          warning ??= warningFor(error)
        }
      }
      await memory.commitModel(model)
    },
    removeModel: async (id) => {
      await memory.removeModel(id)
      await primary.removeModel(id)
    },
    noteModel: async (id, notes) =>
      (await memory.noteModel(id, notes)) || (await primary.noteModel(id, notes)),

    collectGarbage: async (alsoReferenced = new Set()) => {
      const inMemory = await memory.collectGarbage(alsoReferenced)
      const inPrimary = await primary.collectGarbage(alsoReferenced.union(await heldInMemory()))
      // Removing a model makes room: the next write finds out whether enough.
      if (inPrimary > 0) warning = undefined
      return inMemory + inPrimary
    },

    warnings: () => {
      const gone = evicted
      evicted = []
      const conditions = warning === undefined ? primary.warnings() : [warning]
      return gone.length === 0 ? conditions : [...conditions, evictionWarning(gone)]
    },
  }
}

function byId<T extends ModelRecord | PartialModel>(primary: readonly T[], memory: readonly T[]): T[] {
  return [...new Map([...primary, ...memory].map((record) => [record.id, record])).values()]
}

/** Chromium counts a deleted Blob's bytes until it cleans its journal, 2 to 10 s later, and goes by what it was told of the room for a while. */
const freedWithinMs = [0, 250, 500, 1000, 2000, 4000, 8000, 8000]

/** Writes as soon as there is room; false if there is still none. */
async function onceFreed(write: () => Promise<void>): Promise<boolean> {
  for (const waitMs of freedWithinMs) {
    await new Promise((resolve) => setTimeout(resolve, waitMs))
    try {
      await write()
      return true
    } catch (error) {
      if (!isFull(error)) throw error
    }
  }
  return false
}

const isFull = (error: unknown) => error instanceof DOMException && error.name === 'QuotaExceededError'

function warningFor(error: unknown): StorageWarning {
  if (isFull(error)) {
    return {
      code: 'quota_exceeded',
      message:
        'The browser’s storage is full: the model runs from memory and the rest of it is fetched again after a reload. Remove a stored model, or free space on the disk, to keep it.',
    }
  }
  const reason = error instanceof Error ? error.message : String(error)
  return {
    code: 'storage_unavailable',
    message: `The browser’s storage refused to write (${reason}): the model runs from memory and is fetched again after a reload.`,
  }
}

function evictionWarning(ids: readonly string[]): StorageWarning {
  return {
    code: 'model_evicted',
    message: `There was no room: ${ids.join(', ')} had not been used for longest and was removed. Pin a model to keep it whatever happens.`,
  }
}
