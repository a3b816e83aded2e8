import { promisifyRequest } from 'idb-keyval'
import { BrasaError } from '../errors.ts'
import {
  type ModelRecord,
  manifestHashes,
  type PartialModel,
  referencedHashes,
  type ShardStore,
} from './shard-store.ts'

/**
 * Opens the shard store in IndexedDB. All records share one object store, so that one transaction can move a shard and
 * its record together, or look at all of them: that is what makes commits and garbage collection safe across tabs.
 * @throws BrasaError `storage_unavailable` where IndexedDB is missing or refuses to open (some private windows)
 */
export async function openIndexedDbStore(databaseName = 'brasa'): Promise<ShardStore> {
  const transact = await openRecords(databaseName)

  return {
    shardHashes: () => transact('readonly', async (records) => new Set(await names(records, 'shard'))),
    getShard: (sha256) => transact('readonly', (records) => read(records, 'shard', sha256)),
    commitShard: (sha256, shard, partial) =>
      transact('readwrite', async (records) => {
        records.put(shard, key('shard', sha256))
        if (partial !== undefined) records.put(partial, key('partial', partial.id))
      }),

    getPartial: (id) => transact('readonly', (records) => read(records, 'partial', id)),
    putPartial: (partial) =>
      transact('readwrite', async (records) => {
        records.put(partial, key('partial', partial.id))
      }),
    listPartials: () => transact('readonly', (records) => all<PartialModel>(records, 'partial')),

    getModel: (id) => transact('readonly', (records) => read(records, 'model', id)),
    listModels: () => transact('readonly', (records) => all<ModelRecord>(records, 'model')),
    commitModel: (model) =>
      transact(
        'readwrite',
        async (records) => {
          const present = new Set(await names(records, 'shard'))
          const missing = manifestHashes(model.manifest).find((hash) => !present.has(hash))
          if (missing !== undefined) throw shardVanished(missing)
          const before = await read<ModelRecord>(records, 'model', model.id)
          records.put({ ...before, ...model }, key('model', model.id))
          records.delete(key('partial', model.id))
        },
        'strict',
      ),
    removeModel: (id) =>
      transact('readwrite', async (records) => {
        records.delete(key('model', id))
        records.delete(key('partial', id))
      }),
    noteModel: (id, notes) =>
      transact('readwrite', async (records) => {
        const model = await read<ModelRecord>(records, 'model', id)
        if (model === undefined) return false
        records.put({ ...model, ...notes }, key('model', id))
        return true
      }),

    collectGarbage: (alsoReferenced = new Set()) =>
      transact('readwrite', async (records) => {
        const [hashes, models, partials] = await Promise.all([
          names(records, 'shard'),
          all<ModelRecord>(records, 'model'),
          all<PartialModel>(records, 'partial'),
        ])
        const referenced = referencedHashes(models, partials)
        const garbage = hashes.filter((hash) => !referenced.has(hash) && !alsoReferenced.has(hash))
        for (const hash of garbage) records.delete(key('shard', hash))
        return garbage.length
      }),

    warnings: () => [],
  }
}

/** What `commitModel` throws when a shard was removed between its commit and the manifest's. */
export function shardVanished(sha256: string): BrasaError {
  return new BrasaError('storage_unavailable', {
    message:
      'A part of the model was removed from the browser’s storage while it was being loaded. Load it again.',
    details: { sha256 },
  })
}

type RecordKind = 'shard' | 'partial' | 'model'
type Transact = <T>(
  mode: IDBTransactionMode,
  use: (records: IDBObjectStore) => Promise<T>,
  durability?: IDBTransactionDurability,
) => Promise<T>

const recordsName = 'records'
const key = (kind: RecordKind, name: string) => `${kind}/${name}`
/** All keys of a kind: "0" is the character after "/". */
const range = (kind: RecordKind) => IDBKeyRange.bound(`${kind}/`, `${kind}0`, false, true)

async function names(records: IDBObjectStore, kind: RecordKind): Promise<string[]> {
  const keys = await promisifyRequest(records.getAllKeys(range(kind)))
  return keys.map((name) => String(name).slice(kind.length + 1))
}

function all<T>(records: IDBObjectStore, kind: RecordKind): Promise<T[]> {
  return promisifyRequest(records.getAll(range(kind)))
}

function read<T>(records: IDBObjectStore, kind: RecordKind, name: string): Promise<T | undefined> {
  return promisifyRequest(records.get(key(kind, name)))
}

/** idb-keyval's createStore, with what it lacks: a choice of durability, and giving way to another tab that deletes. */
async function openRecords(databaseName: string): Promise<Transact> {
  let opening: Promise<IDBDatabase> | undefined

  const open = () => {
    opening ??= openDatabase(databaseName, () => {
      opening = undefined
    })
    return opening
  }
  await open()

  return async (mode, use, durability = 'relaxed') => {
    const transaction = (await open()).transaction(recordsName, mode, { durability })
    const done = promisifyRequest(transaction)
    done.catch(() => {})
    try {
      const result = await use(transaction.objectStore(recordsName))
      await done
      return result
    } catch (error) {
      try {
        transaction.abort()
      } catch {
        // It had ended: its own error is the one that counts.
      }
      throw transaction.error ?? error
    }
  }
}

async function openDatabase(databaseName: string, onClosed: () => void): Promise<IDBDatabase> {
  try {
    const request = indexedDB.open(databaseName, 1)
    request.onupgradeneeded = () => request.result.createObjectStore(recordsName)
    const database = await promisifyRequest(request)
    database.onclose = onClosed
    database.onversionchange = () => {
      database.close()
      onClosed()
    }
    return database
  } catch (cause) {
    onClosed()
    throw new BrasaError('storage_unavailable', {
      message:
        'The browser gives this page no storage (IndexedDB), as some private windows do. Models are kept in memory and fetched again after a reload.',
      cause,
    })
  }
}
