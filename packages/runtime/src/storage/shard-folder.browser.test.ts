import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { address, createFakeServer, modelBytes } from './fake-server.ts'
import { sha256Hex } from './hash.ts'
import { createMemoryStore } from './memory-store.ts'
import {
  contents,
  failure,
  ggufUrl,
  manifestUrl,
  open,
  replace,
  serveFolder,
  server,
  store,
  weightRequests,
} from './storage-fixture.ts'

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
          replace({
            store: createMemoryStore(),
            server: createFakeServer({ '/models/tiny.gguf': { bytes, etag: '"1"' } }),
          })
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
