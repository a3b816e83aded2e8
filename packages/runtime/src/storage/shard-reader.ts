import { BrasaError, isBrasaError } from '../errors.ts'
import { hashMismatch, sha256Hex } from './hash.ts'
import type { HeapMeter } from './heap-meter.ts'
import type { HttpSettings } from './http.ts'
import { createProgressMeter, type StorageProgress } from './progress.ts'
import { fetchVerified, shardUrl } from './shard-folder.ts'
import type { ModelRecord, ShardStore, StorageWarning } from './shard-store.ts'
import type { LoadShard } from './stored-file.ts'

export interface ShardReaderOptions {
  readonly store: ShardStore
  readonly http: HttpSettings
  readonly heap: HeapMeter
  readonly onProgress?: ((progress: StorageProgress) => void) | undefined
  /** Called where a part that was damaged or gone has been fetched again. */
  readonly onRepair?: ((warning: StorageWarning) => void) | undefined
}

/**
 * Reads shards of a stored model and hashes each before it is used. One that was damaged or went missing is fetched again
 * from where the model came from.
 * @returns a function that throws BrasaError `hash_mismatch` (damaged) or `storage_unavailable` (missing) where that fails
 */
export function createShardReader(
  { manifest, origins }: ModelRecord,
  { store, http, heap, onProgress, onRepair }: ShardReaderOptions,
): LoadShard {
  const progress = createProgressMeter('verify', onProgress)
  for (const file of manifest.files) progress.expect(file.size)
  const counted = new Set<string>()

  async function refetch(file: number, index: number, signal: AbortSignal): Promise<Blob> {
    const { shards, name } = manifest.files[file]!
    const shard = shards[index]!
    const origin = origins[file]!
    if (origin.kind === 'file') {
      throw new BrasaError('unknown_model', { message: `Open the file ${name} again.` })
    }
    const fetching = {
      http,
      heap,
      signal,
      progress: createProgressMeter('download', undefined),
      hash: async (blob: Blob) => sha256Hex(new Uint8Array(await blob.arrayBuffer())),
    }
    if (origin.kind === 'folder') {
      return fetchVerified({ url: shardUrl(shard, origin.manifestUrl), start: 0 }, shard, fetching)
    }
    const start = shards.slice(0, index).reduce((sum, before) => sum + before.size, 0)
    return fetchVerified({ url: origin.url, start, isRange: true }, shard, fetching)
  }

  /** The stored bytes, or what is wrong with them. */
  async function readStored(
    sha256: string,
  ): Promise<Uint8Array<ArrayBuffer> | { actual: string | undefined }> {
    let bytes: Uint8Array<ArrayBuffer>
    try {
      const blob = await store.getShard(sha256)
      if (blob === undefined) return { actual: undefined }
      bytes = new Uint8Array(await blob.arrayBuffer())
    } catch {
      // The browser lost the file behind the record.
      return { actual: undefined }
    }
    const actual = await sha256Hex(bytes)
    return actual === sha256 ? bytes : { actual }
  }

  return async (file, index, signal = new AbortController().signal) => {
    const { name, shards } = manifest.files[file]!
    const { sha256, size } = shards[index]!
    let bytes = await readStored(sha256)
    if (!(bytes instanceof Uint8Array)) {
      const { actual } = bytes
      const shard = await refetch(file, index, signal).catch((cause) => {
        if (isBrasaError(cause) && cause.code === 'aborted') throw cause
        throw lost(name, sha256, actual, cause)
      })
      // If it cannot be stored it is still good for now.
      await store.commitShard(sha256, shard).catch(() => {})
      bytes = new Uint8Array(await shard.arrayBuffer())
      onRepair?.({
        code: 'shard_repaired',
        message: `A stored part of ${name} was ${actual === undefined ? 'gone' : 'damaged'}, and was fetched again from where the model came from.`,
      })
    }
    const place = `${file}/${index}`
    if (!counted.has(place)) {
      counted.add(place)
      progress.arrived(size)
    }
    return bytes
  }
}

function lost(name: string, expected: string, actual: string | undefined, cause: unknown): BrasaError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  const advice = `It could not be fetched again: ${reason}`
  if (actual === undefined) {
    return new BrasaError('storage_unavailable', {
      message: `A part of ${name} is gone from the browser’s storage. ${advice}`,
      details: { sha256: expected },
      cause,
    })
  }
  const error = hashMismatch(`A stored part of ${name}`, expected, actual, advice)
  return new BrasaError(error.code, { message: error.message, details: error.details, cause })
}
