import { describe, expect, it, vi } from 'vitest'
import { modelBytes } from './fake-server.ts'
import { openIndexedDbStore } from './indexeddb-store.ts'
import { openShardStore, overflowIntoMemory } from './overflow-store.ts'
import type { ShardStore, StorageWarning } from './shard-store.ts'
import {
  contents,
  databaseName,
  failure,
  flipStoredByte,
  ggufUrl,
  manifestUrl,
  open,
  replace,
  serveFolder,
  server,
  store,
  weightRequests,
} from './storage-fixture.ts'
import { listModels, removeModel } from './stored-models.ts'

describe('the store', () => {
  it('notices a byte that flipped on the disk and fetches that shard again', async () => {
    const bytes = modelBytes(4500)
    server.files.set(ggufUrl, { bytes, etag: '"1"' })
    const { manifest } = await open(ggufUrl)
    await flipStoredByte(manifest.files[0]!.shards[2]!.sha256)
    server.requests.length = 0
    const warnings: StorageWarning[] = []
    const model = await open(ggufUrl, { onWarning: (warning) => warnings.push(warning) })
    expect(await contents(model)).toEqual(bytes)
    expect(server.requests.map(({ range }) => range)).toEqual(['bytes=2000-2999'])
    expect(warnings.map(({ code }) => code)).toEqual(['shard_repaired'])

    server.requests.length = 0
    expect(await contents(await open(ggufUrl))).toEqual(bytes)
    expect(server.requests).toEqual([])
  })

  it('names both hashes of a damaged shard when the server is gone', async () => {
    const manifest = await serveFolder(modelBytes(4500))
    await open(manifestUrl)
    const { sha256 } = manifest.files[0]!.shards[2]!
    await flipStoredByte(sha256)
    server.behave = () => ({ unreachable: true })
    const model = await open(manifestUrl)
    const error = await failure(contents(model))
    expect(error.code).toBe('hash_mismatch')
    expect(error.message).toContain(sha256)
    expect(error.details.actual).not.toBe(sha256)
  })

  it('fetches the shards that the browser evicted', async () => {
    const bytes = modelBytes(4500)
    const manifest = await serveFolder(bytes)
    await open(manifestUrl)
    const records = await new Promise<IDBDatabase>((resolve) => {
      const request = indexedDB.open(databaseName)
      request.onsuccess = () => resolve(request.result)
    })
    const transaction = records.transaction('records', 'readwrite')
    transaction.objectStore('records').delete(`shard/${manifest.files[0]!.shards[3]!.sha256}`)
    await new Promise((resolve) => {
      transaction.oncomplete = resolve
    })
    records.close()
    server.requests.length = 0
    expect(await contents(await open(manifestUrl))).toEqual(bytes)
    expect(weightRequests()).toHaveLength(1)
  })

  it('refuses a manifest whose shards are not there', async () => {
    const manifest = await serveFolder(modelBytes(4500))
    const record = { id: 'x', manifest, origins: [{ kind: 'file' as const }] }
    expect((await failure(store.commitModel(record))).code).toBe('storage_unavailable')
    expect(await store.listModels()).toEqual([])
  })

  it('lists, sizes and removes models; shards that two share survive the first', async () => {
    const bytes = modelBytes(4500)
    const sibling = bytes.slice()
    sibling[4400]! ^= 1
    server.files.set(ggufUrl, { bytes, etag: '"1"' })
    await open(ggufUrl)
    await open(new File([sibling], 'sibling.gguf'))
    expect(await listModels(store)).toMatchObject([
      { id: 'file:sibling.gguf', sizeBytes: 4500, totalBytes: 4500, isComplete: true, isPinned: false },
      { id: ggufUrl, sizeBytes: 4500, totalBytes: 4500, isComplete: true, isPinned: false },
    ])
    expect((await store.shardHashes()).size).toBe(6)
    await removeModel(store, ggufUrl)
    expect((await store.shardHashes()).size).toBe(5)
    expect(await contents(await open('file:sibling.gguf'))).toEqual(sibling)
    await removeModel(store, 'file:sibling.gguf')
    expect((await store.shardHashes()).size).toBe(0)
  })

  it('goes on from memory when it is full, says so once, and loses nothing', async () => {
    const bytes = modelBytes(9500)
    server.files.set(ggufUrl, { bytes, etag: '"1"' })
    let room = 4
    const small: ShardStore = {
      ...store,
      commitShard: async (sha256, shard, partial) => {
        if (room-- <= 0) throw new DOMException('full', 'QuotaExceededError')
        return store.commitShard(sha256, shard, partial)
      },
    }
    const warnings: StorageWarning[] = []
    const full = overflowIntoMemory(small)
    const model = await open(ggufUrl, { store: full, onWarning: (warning) => warnings.push(warning) })
    expect(await contents(model)).toEqual(bytes)
    expect(warnings.filter(({ code }) => code === 'quota_exceeded')).toHaveLength(1)
    expect(server.requests).toHaveLength(10)
    await open(ggufUrl, { store: full })
    expect(server.requests).toHaveLength(10)

    // After a reload, with room again: the four that fitted need not come again.
    replace({ store: await openIndexedDbStore(databaseName) })
    expect(await store.listModels()).toEqual([])
    server.requests.length = 0
    expect(await contents(await open(ggufUrl))).toEqual(bytes)
    expect(server.requests).toHaveLength(6)
  })

  it('is memory where the browser gives no IndexedDB, and says so', async () => {
    const denied = vi.spyOn(indexedDB, 'open').mockImplementation(() => {
      throw new DOMException('denied', 'SecurityError')
    })
    const memory = await openShardStore(databaseName).finally(() => denied.mockRestore())
    const bytes = modelBytes(2500)
    server.files.set(ggufUrl, { bytes, etag: '"1"' })
    const warnings: StorageWarning[] = []
    const model = await open(ggufUrl, { store: memory, onWarning: (warning) => warnings.push(warning) })
    expect(await contents(model)).toEqual(bytes)
    expect(warnings.map(({ code }) => code)).toContain('storage_unavailable')
  })

  it('opens a model that fits but for its manifest', async () => {
    const bytes = modelBytes(2500)
    server.files.set(ggufUrl, { bytes, etag: '"1"' })
    const full = overflowIntoMemory({
      ...store,
      commitModel: async () => {
        throw new DOMException('full', 'QuotaExceededError')
      },
    })
    expect(await contents(await open(ggufUrl, { store: full }))).toEqual(bytes)
    expect(full.warnings().map(({ code }) => code)).toEqual(['quota_exceeded'])
  })
})
