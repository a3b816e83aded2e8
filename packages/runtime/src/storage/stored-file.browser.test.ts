import { describe, expect, it } from 'vitest'
import { modelBytes } from './fake-server.ts'
import { createHeapMeter } from './heap-meter.ts'
import type { ShardStore } from './shard-store.ts'
import { failure, ggufUrl, open, server, shardBytes, store } from './storage-fixture.ts'

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
