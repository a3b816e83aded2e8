import { describe, expect, it } from 'vitest'
import { modelBytes } from './fake-server.ts'
import { openIndexedDbStore } from './indexeddb-store.ts'
import type { StorageProgress } from './progress.ts'
import { contents, databaseName, failure, ggufUrl, open, replace, server, store } from './storage-fixture.ts'
import { listModels } from './stored-models.ts'

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
    replace({ store: await openIndexedDbStore(databaseName) })
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
