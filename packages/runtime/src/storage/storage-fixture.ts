import { afterEach, beforeEach } from 'vitest'
import { isBrasaError } from '../errors.ts'
import { address, createFakeServer, type FakeServer } from './fake-server.ts'
import { sha256Hex } from './hash.ts'
import { openIndexedDbStore } from './indexeddb-store.ts'
import type { Manifest } from './manifest.ts'
import { type OpenedModel, type OpenModelOptions, openModel } from './open-model.ts'
import type { ShardStore } from './shard-store.ts'

export const shardBytes = 1000
export const ggufUrl = address('/models/tiny.gguf')
export const manifestUrl = address('/models/tiny/manifest.json')

export let databaseName: string
export let store: ShardStore
export let server: FakeServer

beforeEach(async () => {
  databaseName = `test-${crypto.randomUUID()}`
  store = await openIndexedDbStore(databaseName)
  server = createFakeServer()
})
afterEach(() => {
  indexedDB.deleteDatabase(databaseName)
})

/** Puts another store or server in the place of the test's own. */
export function replace(others: { store?: ShardStore; server?: FakeServer }): void {
  store = others.store ?? store
  server = others.server ?? server
}

/** `openModel` as the tests need it: small shards, the test's store and server. */
export function open(
  reference: Parameters<typeof openModel>[0],
  options: Partial<OpenModelOptions> = {},
): Promise<OpenedModel> {
  return openModel(reference, {
    ...{ store, shardBytes, http: server.http, catalogueUrl: address('/models/models.json') },
    ...options,
  })
}

/** All bytes of one of the model's files. */
export async function contents(model: OpenedModel, file = 0): Promise<Uint8Array> {
  const source = model.files[file]!
  return source.read(0, source.size)
}

/** Serves `bytes` as a shard folder at `manifestUrl`. */
export async function serveFolder(bytes: Uint8Array<ArrayBuffer>, name = 'tiny'): Promise<Manifest> {
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

export function json(value: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value))
}

/** The error that `promise` ends with. */
export async function failure(promise: Promise<unknown>) {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!isBrasaError(error)) throw new Error('a BrasaError was expected', { cause: error })
  return error
}

/** Overwrites a byte of a stored shard behind the store's back. */
export async function flipStoredByte(sha256: string): Promise<void> {
  const damaged = new Uint8Array(await (await store.getShard(sha256))!.arrayBuffer())
  damaged[7]! ^= 1
  await store.commitShard(sha256, new Blob([damaged]))
}

/** Requests for model bytes, not for what describes them. */
export const weightRequests = () => server.requests.filter(({ url }) => !url.endsWith('.json'))
