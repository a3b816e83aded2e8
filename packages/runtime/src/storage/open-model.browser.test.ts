import { describe, expect, it } from 'vitest'
import { address, modelBytes } from './fake-server.ts'
import { sha256Hex } from './hash.ts'
import { openIndexedDbStore } from './indexeddb-store.ts'
import { manifestHashes, type ShardStore } from './shard-store.ts'
import {
  contents,
  databaseName,
  failure,
  ggufUrl,
  json,
  open,
  serveFolder,
  server,
  store,
} from './storage-fixture.ts'
import { removeModel } from './stored-models.ts'

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
