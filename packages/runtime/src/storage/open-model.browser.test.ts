import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { isBrasaError } from '../errors.ts'
import { address, createFakeServer, type FakeServer, modelBytes } from './fake-server.ts'
import { sha256Hex } from './hash.ts'
import { createHeapMeter } from './heap-meter.ts'
import { openIndexedDbStore } from './indexeddb-store.ts'
import type { Manifest } from './manifest.ts'
import { createMemoryStore } from './memory-store.ts'
import { type OpenedModel, type OpenModelOptions, openModel } from './open-model.ts'
import { openShardStore, overflowIntoMemory } from './overflow-store.ts'
import type { StorageProgress } from './progress.ts'
import { manifestHashes, type ShardStore, type StorageWarning } from './shard-store.ts'
import { listModels, removeModel } from './stored-models.ts'

const shardBytes = 1000
const ggufUrl = address('/models/tiny.gguf')
const manifestUrl = address('/models/tiny/manifest.json')

let databaseName: string
let store: ShardStore
let server: FakeServer

beforeEach(async () => {
  databaseName = `test-${crypto.randomUUID()}`
  store = await openIndexedDbStore(databaseName)
  server = createFakeServer()
})
afterEach(() => {
  indexedDB.deleteDatabase(databaseName)
})

function open(
  reference: Parameters<typeof openModel>[0],
  options: Partial<OpenModelOptions> = {},
): Promise<OpenedModel> {
  return openModel(reference, {
    ...{ store, shardBytes, http: server.http, catalogueUrl: address('/models/models.json') },
    ...options,
  })
}

async function contents(model: OpenedModel, file = 0): Promise<Uint8Array> {
  const source = model.files[file]!
  return source.read(0, source.size)
}

/** Serves `bytes` as a shard folder at `manifestUrl`. */
async function serveFolder(bytes: Uint8Array<ArrayBuffer>, name = 'tiny'): Promise<Manifest> {
  const shards = []
  for (let start = 0; start < bytes.byteLength; start += shardBytes) {
    const shard = bytes.slice(start, start + shardBytes)
    const path = `${name}-${start}.bin`
    server.files.set(address(`/models/${name}/${path}`), { bytes: shard })
    shards.push({ size: shard.byteLength, sha256: await sha256Hex(shard), path })
  }
  const manifest: Manifest = {
    version: 1,
    name,
    files: [{ name: `${name}.gguf`, size: bytes.byteLength, sha256: await sha256Hex(bytes), shards }],
  }
  server.files.set(address(`/models/${name}/manifest.json`), { bytes: json(manifest) })
  return manifest
}

function json(value: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value))
}

async function failure(promise: Promise<unknown>) {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!isBrasaError(error)) throw new Error('a BrasaError was expected', { cause: error })
  return error
}

/** Overwrites a byte of a stored shard behind the store's back. */
async function flipStoredByte(sha256: string): Promise<void> {
  const damaged = new Uint8Array(await (await store.getShard(sha256))!.arrayBuffer())
  damaged[7]! ^= 1
  await store.commitShard(sha256, new Blob([damaged]))
}

const weightRequests = () => server.requests.filter(({ url }) => !url.endsWith('.json'))

describe('a shard folder', () => {
  it('is loaded once, and then opens without asking for a shard', async () => {
    const bytes = modelBytes(4500)
    await serveFolder(bytes)
    expect(await contents(await open(manifestUrl))).toEqual(bytes)
    expect(weightRequests()).toHaveLength(5)

    expect(await contents(await open(manifestUrl))).toEqual(bytes)
    expect(weightRequests()).toHaveLength(5)
  })

  it('opens offline once it is stored', async () => {
    const bytes = modelBytes(4500)
    await serveFolder(bytes)
    await open(manifestUrl)
    server.behave = () => ({ unreachable: true })
    expect(await contents(await open(manifestUrl))).toEqual(bytes)
  })

  it('is loaded anew when it changed, keeping the shards that are the same', async () => {
    await serveFolder(modelBytes(4500))
    await open(manifestUrl)
    const changed = modelBytes(4500)
    changed[4400]! ^= 1
    await serveFolder(changed)
    server.requests.length = 0
    expect(await contents(await open(manifestUrl))).toEqual(changed)
    expect(weightRequests()).toHaveLength(1)
    expect((await store.shardHashes()).size).toBe(5)
  })

  it('names both hashes when a shard differs, and stores no manifest', async () => {
    const manifest = await serveFolder(modelBytes(4500))
    const file = server.files.get(address('/models/tiny/tiny-2000.bin'))!
    file.bytes = file.bytes.slice()
    file.bytes[5]! ^= 1
    const error = await failure(open(manifestUrl))
    expect(error.code).toBe('hash_mismatch')
    expect(error.message).toContain(manifest.files[0]!.shards[2]!.sha256)
    expect(error.message).toContain(await sha256Hex(file.bytes))
    expect(await store.listModels()).toEqual([])
  })

  it('says so when a shard is shorter or longer than its manifest promises', async () => {
    await serveFolder(modelBytes(4500))
    const file = server.files.get(address('/models/tiny/tiny-0.bin'))!
    const whole = file.bytes
    file.bytes = whole.slice(0, 900)
    expect((await failure(open(manifestUrl))).code).toBe('truncated_model')
    file.bytes = modelBytes(1100)
    expect((await failure(open(manifestUrl))).code).toBe('malformed_manifest')
    file.bytes = whole
    expect(await contents(await open(manifestUrl))).toEqual(modelBytes(4500))
  })

  it('reports 404 at once, and a 500 after the last try', async () => {
    const missing = await failure(open(manifestUrl))
    expect(missing.code).toBe('http_error')
    expect(missing.details).toMatchObject({ status: 404, url: manifestUrl })
    expect(server.requests).toHaveLength(1)

    await serveFolder(modelBytes(500))
    server.behave = () => ({ status: 500 })
    server.requests.length = 0
    expect((await failure(open(manifestUrl))).details.status).toBe(500)
    expect(server.requests).toHaveLength(4)
  })

  it('waits as long as Retry-After says', async () => {
    const bytes = modelBytes(500)
    await serveFolder(bytes)
    let busy = true
    server.behave = () => {
      if (!busy) return undefined
      busy = false
      return { status: 503, headers: { 'retry-after': '1' } }
    }
    const start = performance.now()
    expect(await contents(await open(manifestUrl))).toEqual(bytes)
    expect(performance.now() - start).toBeGreaterThan(950)
  })

  it('gives up on a silent connection and tries again', async () => {
    const bytes = modelBytes(3000)
    await serveFolder(bytes)
    const silent = new Set<string>()
    server.behave = ({ url }) => {
      if (silent.has(url)) return undefined
      silent.add(url)
      return { stallAfter: 10 }
    }
    const http = { ...server.http, stallMs: 50 }
    expect(await contents(await open(manifestUrl, { http }))).toEqual(bytes)
  })

  it('survives a server that drops at any byte, and goes on from what is committed', async () => {
    const bytes = modelBytes(3300)
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(1000), { minLength: 1, maxLength: 12 }),
        fc.boolean(),
        async (drops, asFolder) => {
          store = createMemoryStore()
          server = createFakeServer({ '/models/tiny.gguf': { bytes, etag: '"1"' } })
          await serveFolder(bytes)
          const left = [...drops]
          server.behave = ({ url }) =>
            url.endsWith('.json') || left.length === 0 ? undefined : { dropAfter: left.pop()! }
          for (let attempt = 0; attempt < 20; attempt++) {
            const model = await open(asFolder ? manifestUrl : ggufUrl).catch((error) => {
              expect(error).toMatchObject({ code: 'network_error' })
              return undefined
            })
            if (model === undefined) continue
            expect(await contents(model)).toEqual(bytes)
            return
          }
          throw new Error('it never finished')
        },
      ),
      { numRuns: 40 },
    )
  })
})

describe('one URL', () => {
  it('is loaded in ranges that name the version', async () => {
    const bytes = modelBytes(4500)
    server.files.set(ggufUrl, { bytes, etag: '"1"' })
    const model = await open(ggufUrl)
    expect(await contents(model)).toEqual(bytes)
    expect(model.files[0]!.name).toBe('tiny.gguf')
    expect(server.requests.map(({ range }) => range).sort()).toEqual(
      [0, 1, 2, 3, 4].map((shard) => `bytes=${shard * 1000}-${Math.min(shard * 1000 + 999, 4499)}`).sort(),
    )
    expect(server.requests.filter(({ ifRange }) => ifRange === '"1"')).toHaveLength(4)

    server.requests.length = 0
    await open(ggufUrl)
    expect(server.requests).toHaveLength(0)
  })

  it('resumes after an interruption without fetching a committed shard again', async () => {
    const bytes = modelBytes(9500)
    server.files.set(ggufUrl, { bytes, etag: '"1"' })
    server.behave = ({ range }) => (range === 'bytes=6000-6999' ? { status: 404 } : undefined)
    await failure(open(ggufUrl))
    const committed = await store.shardHashes()
    expect(committed.size).toBeGreaterThan(0)
    expect(await store.listModels()).toEqual([])
    const [unfinished] = await listModels(store)
    expect(unfinished).toMatchObject({ id: ggufUrl, isComplete: false, sizeBytes: committed.size * 1000 })

    // As after a reload: only the database is left.
    store = await openIndexedDbStore(databaseName)
    await store.collectGarbage()
    server.behave = () => undefined
    server.requests.length = 0
    const reports: StorageProgress[] = []
    const model = await open(ggufUrl, { onProgress: (report) => reports.push(report) })
    expect(await contents(model)).toEqual(bytes)
    expect(server.requests).toHaveLength(10 - committed.size)
    const last = reports.filter(({ phase }) => phase === 'download').at(-1)!
    expect(last).toMatchObject({
      loadedBytes: 9500,
      totalBytes: 9500,
      cachedBytes: committed.size * 1000,
    })
  })

  it('takes up a broken range where it broke', async () => {
    const bytes = modelBytes(1000)
    server.files.set(ggufUrl, { bytes, etag: '"1"' })
    server.behave = ({ range }) => (range === 'bytes=0-999' ? { dropAfter: 300 } : undefined)
    expect(await contents(await open(ggufUrl))).toEqual(bytes)
    expect(server.requests.map(({ range }) => range)).toEqual(['bytes=0-999', 'bytes=300-999'])
  })

  it('begins again when the file changes half way', async () => {
    const changed = modelBytes(5000, 2)
    const file = { bytes: modelBytes(9500), etag: '"1"' }
    server.files.set(ggufUrl, file)
    server.behave = ({ range }) => {
      if (range === 'bytes=5000-5999' && file.etag === '"1"') {
        file.bytes = changed
        file.etag = '"2"'
      }
      return undefined
    }
    const reports: StorageProgress[] = []
    const model = await open(ggufUrl, { onProgress: (report) => reports.push(report) })
    expect(await contents(model)).toEqual(changed)
    expect((await store.shardHashes()).size).toBe(5)
    const last = reports.filter(({ phase }) => phase === 'download').at(-1)!
    expect(last).toMatchObject({ loadedBytes: 5000, totalBytes: 5000 })
  })

  it('begins again when the file changed between two visits', async () => {
    const file = { bytes: modelBytes(9500), etag: '"1"' }
    server.files.set(ggufUrl, file)
    server.behave = ({ range }) => (range === 'bytes=6000-6999' ? { status: 404 } : undefined)
    await failure(open(ggufUrl))
    file.bytes = modelBytes(9500, 2)
    file.etag = '"2"'
    server.behave = () => undefined
    expect(await contents(await open(ggufUrl))).toEqual(file.bytes)
  })

  it.each([
    ['no Range', { ranges: false, etag: '"1"' }],
    ['Range but no version', {}],
  ])('is streamed whole from a server with %s', async (_, manners) => {
    const bytes = modelBytes(4500)
    server.files.set(ggufUrl, { bytes, ...manners })
    const model = await open(ggufUrl)
    expect(await contents(model)).toEqual(bytes)
    expect(model.manifest.files[0]!.shards.map(({ size }) => size)).toEqual([1000, 1000, 1000, 1000, 500])
  })

  it('is streamed whole from a server that takes every If-Range for another version', async () => {
    const bytes = modelBytes(4500)
    server.files.set(ggufUrl, { bytes, etag: '"1"' })
    server.behave = () => ({ headers: { etag: '"2"' } })
    expect(await contents(await open(ggufUrl))).toEqual(bytes)
    expect(server.requests.at(-1)!.range).toBeUndefined()
  })

  it('is streamed again from the start when the stream breaks', async () => {
    const bytes = modelBytes(4500)
    server.files.set(ggufUrl, { bytes, ranges: false })
    server.behave = () => (server.requests.length < 3 ? { dropAfter: 2500 } : undefined)
    expect(await contents(await open(ggufUrl))).toEqual(bytes)
    expect(server.requests).toHaveLength(3)
  })

  it('is refused before it is stored if it is no GGUF', async () => {
    server.files.set(ggufUrl, { bytes: new TextEncoder().encode('<!doctype html>'), ranges: false })
    const error = await failure(open(ggufUrl))
    expect(error.code).toBe('not_a_gguf')
    expect(await store.shardHashes()).toEqual(new Set())
    server.files.set(ggufUrl, { bytes: new Uint8Array(0), ranges: false })
    expect((await failure(open(ggufUrl))).code).toBe('truncated_model')
  })
})

describe('files', () => {
  it('imports a File, which then opens by its id', async () => {
    const bytes = modelBytes(4500)
    const model = await open(new File([bytes], 'mine.gguf'))
    expect(await contents(model)).toEqual(bytes)
    expect(model.id).toBe('file:mine.gguf')
    expect(await contents(await open('file:mine.gguf'))).toEqual(bytes)
    expect((await failure(open('file:other.gguf'))).code).toBe('unknown_model')
  })

  it('does not take one File for another of the same name', async () => {
    await open(new File([modelBytes(4500)], 'mine.gguf', { lastModified: 1 }))
    const other = modelBytes(4500, 2)
    expect(await contents(await open(new File([other], 'mine.gguf', { lastModified: 1 })))).toEqual(other)
  })

  it('loads split files from URLs and Files alike', async () => {
    const parts = [modelBytes(2500, 1), modelBytes(1500, 2), modelBytes(800, 3)]
    server.files.set(address('/a-1.gguf'), { bytes: parts[0]!, etag: '"1"' })
    server.files.set(address('/a-2.gguf'), { bytes: parts[1]!, ranges: false })
    const model = await open(['/a-1.gguf', '/a-2.gguf', new File([parts[2]!], 'a-3.gguf')])
    for (const [file, bytes] of parts.entries()) expect(await contents(model, file)).toEqual(bytes)
  })
})

describe('a catalogue name', () => {
  const entry = async (bytes: Uint8Array<ArrayBuffer>) => ({
    ...{ id: 'tiny', name: 'Tiny', architecture: 'llama', quantisation: 'Q4_1', parameters: 1000 },
    ...{ licence: 'Apache-2.0', contextLength: 64, size: bytes.byteLength, sha256: await sha256Hex(bytes) },
    manifest: 'tiny/manifest.json',
    sources: [{ kind: 'url', url: ggufUrl }],
  })

  it('is loaded from its folder, and from its URL where there is none', async () => {
    const bytes = modelBytes(4500)
    server.files.set(address('/models/models.json'), { bytes: json({ models: [await entry(bytes)] }) })
    server.files.set(ggufUrl, { bytes, etag: '"1"' })
    const model = await open('tiny')
    expect(await contents(model)).toEqual(bytes)
    expect(model).toMatchObject({ id: 'tiny', entry: { contextLength: 64, licence: 'Apache-2.0' } })
    await removeModel(store, 'tiny')

    await serveFolder(bytes)
    server.requests.length = 0
    expect(await contents(await open('tiny'))).toEqual(bytes)
    expect(server.requests.some(({ url }) => url === ggufUrl)).toBe(false)
  })

  it('is refused, and not kept, when its URL or its folder has another file', async () => {
    const bytes = modelBytes(4500)
    const other = modelBytes(4500, 2)
    server.files.set(address('/models/models.json'), { bytes: json({ models: [await entry(bytes)] }) })
    server.files.set(ggufUrl, { bytes: other, etag: '"1"' })
    const error = await failure(open('tiny'))
    expect(error.code).toBe('hash_mismatch')
    expect(error.details).toEqual({ expected: await sha256Hex(bytes), actual: await sha256Hex(other) })
    expect((await store.shardHashes()).size).toBe(0)

    await serveFolder(other)
    expect((await failure(open('tiny'))).code).toBe('hash_mismatch')
    await serveFolder(bytes)
    expect(await contents(await open('tiny'))).toEqual(bytes)
  })

  it('that is not known is answered with those that are', async () => {
    server.files.set(address('/models/models.json'), {
      bytes: json({ models: [await entry(modelBytes(9))] }),
    })
    const error = await failure(open('huge'))
    expect(error.code).toBe('unknown_model')
    expect(error.details.known).toEqual(['tiny'])
  })
})

describe('several at once', () => {
  it('two opens fetch once', async () => {
    const bytes = modelBytes(9500)
    server.files.set(ggufUrl, { bytes, etag: '"1"' })
    const other = await openIndexedDbStore(databaseName)
    const models = await Promise.all([open(ggufUrl), open(ggufUrl, { store: other })])
    for (const model of models) expect(await contents(model)).toEqual(bytes)
    expect(server.requests).toHaveLength(10)
  })

  it('stops when told to, also while it waits for the lock', async () => {
    server.files.set(ggufUrl, { bytes: modelBytes(9500), etag: '"1"' })
    server.behave = () => ({ stallAfter: 500 })
    const stop = new AbortController()
    const opens = [open(ggufUrl, { signal: stop.signal }), open(ggufUrl, { signal: stop.signal })]
    setTimeout(() => stop.abort(), 50)
    for (const opening of opens) expect((await failure(opening)).code).toBe('aborted')
    expect((await failure(open(ggufUrl, { signal: stop.signal }))).code).toBe('aborted')
  })

  it('stopped at any point leaves no manifest without its shards', async () => {
    const bytes = modelBytes(4500)
    for (let writes = 0; writes < 14; writes++) {
      await removeModel(store, ggufUrl)
      server.files.set(ggufUrl, { bytes, etag: '"1"' })
      const stop = new AbortController()
      let left = writes
      const counting = <Args extends unknown[], Result>(write: (...args: Args) => Promise<Result>) => {
        return async (...args: Args) => {
          if (left-- === 0) stop.abort()
          return write(...args)
        }
      }
      const stopping: ShardStore = {
        ...store,
        commitShard: counting(store.commitShard),
        putPartial: counting(store.putPartial),
        commitModel: counting(store.commitModel),
      }
      await open(ggufUrl, { store: stopping, signal: stop.signal }).catch((error) => {
        expect(error.code).toBe('aborted')
      })
      const stored = await store.shardHashes()
      for (const { manifest } of await store.listModels()) {
        expect(manifestHashes(manifest).every((hash) => stored.has(hash))).toBe(true)
      }
      expect(await contents(await open(ggufUrl))).toEqual(bytes)
    }
  })
})

describe('the store', () => {
  it('notices a byte that flipped on the disk and fetches that shard again', async () => {
    const bytes = modelBytes(4500)
    server.files.set(ggufUrl, { bytes, etag: '"1"' })
    const { manifest } = await open(ggufUrl)
    await flipStoredByte(manifest.files[0]!.shards[2]!.sha256)
    server.requests.length = 0
    expect(await contents(await open(ggufUrl))).toEqual(bytes)
    expect(server.requests.map(({ range }) => range)).toEqual(['bytes=2000-2999'])

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
    expect(await listModels(store)).toEqual([
      { id: 'file:sibling.gguf', sizeBytes: 4500, isComplete: true },
      { id: ggufUrl, sizeBytes: 4500, isComplete: true },
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
    store = await openIndexedDbStore(databaseName)
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
    expect(full.warning()?.code).toBe('quota_exceeded')
  })
})

describe('reading', () => {
  it('joins shards, and fetches each once when it reads on', async () => {
    const bytes = modelBytes(4500)
    const reads: string[] = []
    const watched: ShardStore = {
      ...store,
      getShard: (sha256) => {
        reads.push(sha256)
        return store.getShard(sha256)
      },
    }
    const [file] = (await open(new File([bytes], 'a.gguf'), { store: watched })).files
    for (let offset = 0; offset < 4500; offset += 300) {
      expect(await file!.read(offset, 300)).toEqual(bytes.slice(offset, offset + 300))
    }
    expect(reads).toHaveLength(5)
    expect(await file!.read(4500, 0)).toEqual(new Uint8Array(0))
    for (const [offset, length] of [
      [4400, 101],
      [-1, 1],
      [0.5, 1],
      [0, Number.NaN],
    ]) {
      expect((await failure(file!.read(offset!, length!))).code).toBe('truncated_model')
    }
  })

  it('gives the shards in order, two alive at most', async () => {
    const bytes = modelBytes(4500)
    const heap = createHeapMeter()
    const [file] = (await open(new File([bytes], 'a.gguf'), { heap })).files
    const joined: number[] = []
    for await (const shard of file!.shards()) {
      expect(shard.offset).toBe(joined.length)
      joined.push(...shard.bytes)
    }
    expect(new Uint8Array(joined)).toEqual(bytes)
    expect(heap.heldBytes).toBe(0)
    expect(heap.highWaterBytes).toBeLessThanOrEqual(2 * shardBytes)
    for await (const _ of file!.shards()) break
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(heap.heldBytes).toBe(0)
  })

  it('keeps the heap under two shards of the real size, from the first byte to the last', async () => {
    const bytes = modelBytes(5.5 * 16 * 1024 * 1024)
    server.files.set(ggufUrl, { bytes, etag: '"1"' })
    const heap = createHeapMeter()
    const model = await open(ggufUrl, { heap, shardBytes: undefined as never })
    let offset = 0
    for await (const shard of model.files[0]!.shards()) offset += shard.bytes.byteLength
    expect(offset).toBe(bytes.byteLength)
    expect(heap.highWaterBytes).toBeGreaterThan(16 * 1024 * 1024)
    expect(heap.highWaterBytes).toBeLessThanOrEqual(2 * 16 * 1024 * 1024)
    expect(heap.heldBytes).toBe(0)
  })
})
