import { shardVanished } from './indexeddb-store.ts'
import {
  type ModelRecord,
  manifestHashes,
  type PartialModel,
  referencedHashes,
  type ShardStore,
  type StorageWarning,
} from './shard-store.ts'

export interface MemoryStoreOptions {
  /** Why the page has to do with memory. */
  readonly warning?: StorageWarning
  /** Shards that another store holds for this one's models. */
  readonly heldElsewhere?: () => Promise<ReadonlySet<string>>
}

/** A shard store that lasts as long as the page. Blobs, so that the browser may page shards out and the JS heap stays small. */
export function createMemoryStore({ warning, heldElsewhere }: MemoryStoreOptions = {}): ShardStore {
  const shards = new Map<string, Blob>()
  const models = new Map<string, ModelRecord>()
  const partials = new Map<string, PartialModel>()

  return {
    shardHashes: async () => new Set(shards.keys()),
    getShard: async (sha256) => shards.get(sha256),
    commitShard: async (sha256, shard, partial) => {
      shards.set(sha256, shard)
      if (partial !== undefined) partials.set(partial.id, partial)
    },

    getPartial: async (id) => partials.get(id),
    putPartial: async (partial) => {
      partials.set(partial.id, partial)
    },
    listPartials: async () => [...partials.values()],

    getModel: async (id) => models.get(id),
    listModels: async () => [...models.values()],
    commitModel: async (model) => {
      const elsewhere = await heldElsewhere?.()
      const missing = manifestHashes(model.manifest).find(
        (hash) => !shards.has(hash) && !elsewhere?.has(hash),
      )
      if (missing !== undefined) throw shardVanished(missing)
      models.set(model.id, { ...models.get(model.id), ...model })
      partials.delete(model.id)
    },
    removeModel: async (id) => {
      models.delete(id)
      partials.delete(id)
    },
    noteModel: async (id, notes) => {
      const model = models.get(id)
      if (model !== undefined) models.set(id, { ...model, ...notes })
      return model !== undefined
    },

    collectGarbage: async (alsoReferenced = new Set()) => {
      const referenced = referencedHashes([...models.values()], [...partials.values()])
      const garbage = [...shards.keys()].filter((hash) => !referenced.has(hash) && !alsoReferenced.has(hash))
      for (const hash of garbage) shards.delete(hash)
      return garbage.length
    },

    warnings: () => (warning === undefined ? [] : [warning]),
  }
}
