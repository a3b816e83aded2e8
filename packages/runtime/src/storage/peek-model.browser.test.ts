import { describe, expect, it } from 'vitest'
import { modelBytes } from './fake-server.ts'
import { type PeekedModel, peekModel } from './peek-model.ts'
import type { Reference } from './reference.ts'
import {
  failure,
  ggufUrl,
  manifestUrl,
  open,
  serveFolder,
  server,
  shardBytes,
  store,
  weightRequests,
} from './storage-fixture.ts'

const size = 3_000_000
const bytes = modelBytes(size)

const peek = (reference: Reference): Promise<PeekedModel> =>
  peekModel(reference, { store, shardBytes, http: server.http })
const sent = () => weightRequests().reduce((sum, { sentBytes }) => sum + sentBytes, 0)
const expectPart = async ({ files }: PeekedModel, offset: number, length: number) =>
  expect(await files[0]!.read(offset, length)).toEqual(bytes.slice(offset, offset + length))

describe('peekModel', () => {
  it('reads a file on a server by ranges, and stores nothing', async () => {
    server.files.set(ggufUrl, { bytes, etag: '"1"' })
    const peeked = await peek(ggufUrl)
    expect(peeked).toMatchObject({ id: ggufUrl, storedBytes: 0, isHere: false })
    expect(peeked.files[0]!.size).toBe(size)
    await expectPart(peeked, 0, 1000)
    await expectPart(peeked, 200_000, 200_000)
    await expectPart(peeked, size - 10, 10)
    expect(sent()).toBeLessThan(600_000)
    expect(await store.shardHashes()).toEqual(new Set())
  })

  it('reads a server without ranges as far as it needs to, and breaks off', async () => {
    server.files.set(ggufUrl, { bytes, ranges: false })
    const peeked = await peek(ggufUrl)
    expect(peeked.files[0]!.size).toBe(size)
    await expectPart(peeked, 0, 1000)
    await expectPart(peeked, 300_000, 200_000)
    await expectPart(peeked, 100, 300_000)
    peeked.close()
    expect(server.requests).toHaveLength(1)
    expect(sent()).toBeLessThan(700_000)
  })

  it('begins again where the connection broke', async () => {
    for (const ranges of [true, false]) {
      server.requests.length = 0
      server.files.set(ggufUrl, { bytes, ranges })
      server.behave = () => (server.requests.length === 1 ? { dropAfter: 70_000 } : undefined)
      const peeked = await peek(ggufUrl)
      await expectPart(peeked, 400_000, 1000)
      peeked.close()
    }
  })

  it('reads across the shards of a folder, and asks for those only', async () => {
    await serveFolder(bytes.slice(0, 5500))
    const peeked = await peek(manifestUrl)
    await expectPart(peeked, 900, 1200)
    expect(weightRequests()).toHaveLength(3)
    expect(peeked.files[0]!.size).toBe(5500)
  })

  it('says what of an unfinished download is here', async () => {
    server.files.set(ggufUrl, { bytes: bytes.slice(0, 5500), etag: '"1"' })
    server.behave = ({ range }) => (range?.startsWith('bytes=4000') ? { status: 403 } : undefined)
    await failure(open(ggufUrl))
    server.behave = () => undefined
    const { storedBytes } = await peek(ggufUrl)
    expect(storedBytes).toBeGreaterThanOrEqual(1000)
    expect(storedBytes).toBeLessThanOrEqual(4500)
  })

  it('needs no network for what is stored or chosen from this machine', async () => {
    const file = new File([bytes], 'own.gguf')
    expect(await peek(file)).toMatchObject({ id: 'file:own.gguf', storedBytes: 0, isHere: true })
    await expectPart(await peek(file), 5000, 100)
    server.files.set(ggufUrl, { bytes: bytes.slice(0, 5500), etag: '"1"' })
    await open(ggufUrl)
    server.requests.length = 0
    const peeked = await peek(ggufUrl)
    expect(peeked).toMatchObject({ storedBytes: 5500, isHere: true })
    await expectPart(peeked, 900, 1200)
    expect(server.requests).toEqual([])
  })

  it('refuses what is not there, and what is empty', async () => {
    expect(await failure(peek(ggufUrl))).toMatchObject({ code: 'http_error', details: { status: 404 } })
    for (const ranges of [true, false]) {
      server.files.set(ggufUrl, { bytes: new Uint8Array(0), ranges })
      expect(await failure(peek(ggufUrl))).toMatchObject({ code: 'truncated_model' })
    }
  })
})

describe('openModel', () => {
  it('asks before it downloads, and downloads nothing where the answer is no', async () => {
    server.files.set(ggufUrl, { bytes, etag: '"1"' })
    const no = new Error('no')
    const beforeDownload = () => Promise.reject(no)
    await expect(open(ggufUrl, { beforeDownload })).rejects.toBe(no)
    expect(sent()).toBeLessThan(300_000)
    expect(await store.shardHashes()).toEqual(new Set())
    expect(await store.listPartials()).toEqual([])
  })
})
