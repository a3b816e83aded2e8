import { afterEach, describe, expect, it, vi } from 'vitest'
import { address, modelBytes } from './fake-server.ts'
import { holdInUse } from './model-lock.ts'
import { overflowIntoMemory } from './overflow-store.ts'
import type { ShardStore, StorageWarning } from './shard-store.ts'
import { contents, open, replace, server, store } from './storage-fixture.ts'
import { listModels } from './stored-models.ts'

/** `store` as it is on a disk with room for so many shards. */
function withRoomFor(numShards: number): ShardStore {
  const { commitShard, shardHashes } = store
  return overflowIntoMemory({
    ...store,
    commitShard: async (sha256, shard, partial) => {
      if ((await shardHashes()).size >= numShards) throw new DOMException('full', 'QuotaExceededError')
      await commitShard(sha256, shard, partial)
    },
  })
}

let seed = 1
/** Serves a model of so many shards of its own. */
function serve(name: string, numShards: number): string {
  const url = address(`/${name}.gguf`)
  server.files.set(url, { bytes: modelBytes(numShards * 1000, ++seed), etag: '"1"' })
  return url
}

const storedIds = async () => (await listModels(store)).map(({ id }) => id)
const note = (url: string, lastUsedAt: number, pinned = false) => store.noteModel(url, { lastUsedAt, pinned })

afterEach(() => vi.restoreAllMocks())

describe('a store that is full', () => {
  it('drops what was not used for longest, says so, and keeps what comes', async () => {
    const [old, recent, next] = [serve('old', 3), serve('recent', 3), serve('next', 4)]
    const tight = withRoomFor(7)
    replace({ store: tight })
    await open(recent)
    await open(old)
    await note(recent, 2000)
    await note(old, 1000)
    const warnings: StorageWarning[] = []
    const model = await open(next, { onWarning: (warning) => warnings.push(warning) })
    expect(await contents(model)).toEqual(server.files.get(next)!.bytes)
    expect(await storedIds()).toEqual([next, recent].sort())
    expect(warnings.map(({ code }) => code)).toEqual(['model_evicted'])
    expect(warnings[0]!.message).toContain(old)
    expect(tight.warnings()).toEqual([])
  })

  it('leaves a pinned model and one in use alone, and runs from memory instead', async () => {
    const [pinned, used, next] = [serve('pinned', 3), serve('used', 3), serve('next', 3)]
    replace({ store: withRoomFor(7) })
    await open(pinned)
    await open(used)
    await note(pinned, 1, true)
    await note(used, 2)
    const letGo = holdInUse(used)
    const inUse = async () => (await navigator.locks.query()).held?.some(({ name }) => name?.endsWith(used))
    await expect.poll(inUse).toBe(true)
    const warnings: StorageWarning[] = []
    const model = await open(next, { onWarning: (warning) => warnings.push(warning) })
    expect(await contents(model)).toEqual(server.files.get(next)!.bytes)
    expect(warnings.map(({ code }) => code)).toEqual(['quota_exceeded'])
    expect(await storedIds()).toContain(used)
    letGo()
  })

  it('drops an unfinished download before any model', async () => {
    const [half, whole, next] = [serve('half', 3), serve('whole', 2), serve('next', 3)]
    replace({ store: withRoomFor(5) })
    await open(whole)
    server.behave = ({ url, range }) =>
      url === half && range?.startsWith('bytes=2000') ? { status: 404 } : undefined
    await open(half).catch(() => undefined)
    expect(await storedIds()).toContain(half)
    await open(next)
    expect(await storedIds()).toEqual([next, whole].sort())
  })

  it('drops nothing where all of it together would not make room enough', async () => {
    const [small, huge] = [serve('small', 2), serve('huge', 9)]
    replace({ store: withRoomFor(5) })
    await open(small)
    vi.spyOn(navigator.storage, 'estimate').mockResolvedValue({ quota: 5000, usage: 5000 })
    const warnings: StorageWarning[] = []
    await open(huge, { onWarning: (warning) => warnings.push(warning) })
    expect(warnings.map(({ code }) => code)).toEqual(['quota_exceeded'])
    expect(await storedIds()).toContain(small)
  })

  it('keeps a pin and the time of the last use when a model is loaded anew', async () => {
    const url = serve('mine', 2)
    await open(url)
    await note(url, 5, true)
    const before = Date.now()
    await open(url)
    const [model] = await listModels(store)
    expect(model).toMatchObject({ id: url, isPinned: true, isComplete: true, totalBytes: 2000 })
    expect(model!.lastUsedAt).toBeGreaterThanOrEqual(before)
    const { manifest, origins } = (await store.getModel(url))!
    await store.commitModel({ id: url, manifest, origins })
    expect((await store.getModel(url))!.pinned).toBe(true)
    expect(await store.noteModel('another', { pinned: true })).toBe(false)
  })
})

describe('a model that another tab is loading', () => {
  it('is waited for, and the wait is told', async () => {
    const url = serve('shared', 3)
    let goOn = () => {}
    const held = new Promise<void>((resolve) => (goOn = resolve))
    server.behave = () => undefined
    const { fetch } = server.http
    const slow = async (asked: string, init: RequestInit) => {
      await held
      return fetch(asked, init)
    }
    const first = open(url, { http: { ...server.http, fetch: slow } })
    const isHeld = async () => (await navigator.locks.query()).held?.some(({ name }) => name?.endsWith(url))
    await expect.poll(isHeld).toBe(true)
    const phases: string[] = []
    const second = open(url, { onProgress: ({ phase }) => phases.push(phase) })
    await expect.poll(() => phases).toEqual(['wait'])
    goOn()
    await first
    expect(await contents(await second)).toEqual(server.files.get(url)!.bytes)
    expect(phases).not.toContain('download')
    expect(server.requests).toHaveLength(3)
  })
})
