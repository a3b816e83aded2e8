import { BrasaError, isBrasaError, throwIfAborted } from '../errors.ts'
import { sha256Hex } from './hash.ts'
import { discard, type HeapMeter } from './heap-meter.ts'
import type { HttpSettings } from './http.ts'
import type { ManifestFile, ModelFormat } from './manifest.ts'
import { createMutex } from './mutex.ts'
import type { ProgressMeter } from './progress.ts'
import type { FileOrigin, PartialFile, PartialModel, ShardStore } from './shard-store.ts'

/** What the sources share while one model is brought into the store. */
export interface Download {
  readonly http: HttpSettings
  readonly heap: HeapMeter
  readonly progress: ProgressMeter
  readonly signal: AbortSignal
  /** Bytes a shard has, save a file's last one; for sources that are cut here. */
  readonly shardBytes: number
  readonly format: ModelFormat
  isStored(sha256: string): boolean
  /** What an earlier, unfinished download knew of a file. */
  partialFile(file: number): PartialFile | undefined
  /** Writes down what is known of a file from now on, or that nothing is. */
  setPartialFile(file: number, partial: PartialFile | undefined): Promise<void>
  /** Protects shards from garbage collection until the model is committed. */
  expectShards(hashes: readonly string[]): Promise<void>
  /** SHA-256 of a shard; one shard at a time is on the heap for it. */
  hash(shard: Blob): Promise<string>
  /** Stores a verified shard, together with what it changes in the record of its file. */
  commit(sha256: string, shard: Blob, change?: { file: number; shard: number }): Promise<void>
}

/** A file that is in the store, and where it came from. */
export interface FetchedFile {
  readonly file: ManifestFile
  readonly origin: FileOrigin
}

export interface DownloadOptions
  extends Pick<Download, 'http' | 'heap' | 'progress' | 'signal' | 'shardBytes' | 'format'> {
  readonly id: string
  readonly store: ShardStore
  /** Of the whole model, where that is known. */
  readonly sizeBytes?: number | undefined
  /** Called after a write that showed the store to be full or broken. */
  readonly onStoreChange: () => void
}

export async function startDownload({
  id,
  store,
  sizeBytes,
  onStoreChange,
  ...shared
}: DownloadOptions): Promise<Download> {
  const stored = await store.shardHashes()
  const hashOne = createMutex()
  /** Records are written one after another, or an older one would overtake a newer. */
  const writeOne = createMutex()
  let partial: PartialModel = {
    ...((await store.getPartial(id)) ?? { id, hashes: [], files: {} }),
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
  }

  function update(next: PartialModel, write: (next: PartialModel) => Promise<void>): Promise<void> {
    return write(next).then(() => {
      partial = next
      onStoreChange()
    })
  }

  return {
    ...shared,
    isStored: (sha256) => stored.has(sha256),
    partialFile: (file) => partial.files[file],
    setPartialFile: (file, value) =>
      writeOne(() => {
        const { [file]: _, ...others } = partial.files
        const files = value === undefined ? others : { ...others, [file]: value }
        return update({ ...partial, files }, store.putPartial)
      }),
    expectShards: (hashes) =>
      writeOne(() => update({ ...partial, hashes: union(partial.hashes, hashes) }, store.putPartial)),
    hash: (shard) =>
      hashOne(async () => {
        shared.heap.hold(shard.size)
        try {
          const bytes = new Uint8Array(await shard.arrayBuffer())
          const hash = await sha256Hex(bytes)
          discard(bytes)
          return hash
        } catch (cause) {
          throw isBrasaError(cause) ? cause : unreadable(cause)
        } finally {
          shared.heap.release(shard.size)
        }
      }),
    commit: (sha256, shard, change) =>
      writeOne(async () => {
        let next: PartialModel = { ...partial, hashes: union(partial.hashes, [sha256]) }
        const file = change && partial.files[change.file]
        if (change !== undefined && file !== undefined) {
          const shards = file.shards.with(change.shard, sha256)
          next = { ...next, files: { ...next.files, [change.file]: { ...file, shards } } }
        }
        await update(next, (record) =>
          stored.has(sha256) ? store.putPartial(record) : store.commitShard(sha256, shard, record),
        )
        stored.add(sha256)
      }),
  }
}

/**
 * Runs four tasks at a time. The first error stops the others, and is thrown once all have come to rest: nothing is
 * written after this has thrown.
 */
export async function inFlight<T>(
  tasks: readonly T[],
  signal: AbortSignal,
  run: (task: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController()
  const either = AbortSignal.any([signal, failed.signal])
  const errors: unknown[] = []
  let next = 0

  async function lane(): Promise<void> {
    while (next < tasks.length && errors.length === 0) {
      try {
        throwIfAborted(signal)
        await run(tasks[next++]!, either)
      } catch (error) {
        errors.push(error)
        failed.abort()
      }
    }
  }

  await Promise.all(Array.from({ length: maxInFlight }, lane))
  if (errors.length > 0) throw errors[0]
}

const maxInFlight = 4

/** An HTML page in the place of a model must not enter the store, where it would be found again at every load. */
export async function checkMagic(shard: Blob, name: string, format: ModelFormat): Promise<void> {
  const start = await shard
    .slice(0, 4)
    .text()
    .catch((cause) => {
      throw unreadable(cause)
    })
  if (format === 'onnx') {
    // ONNX has no magic, and comes with files of other formats: only what it surely is not can be told.
    if (!/^<(!do|htm)/i.test(start)) return
    throw new BrasaError('not_an_onnx', {
      message: `${name} is a web page, not an ONNX model. Check that the address is that of the file itself.`,
      details: { name },
    })
  }
  if (start === 'GGUF') return
  throw new BrasaError('not_a_gguf', {
    message: `${name} is not a GGUF file: it starts with ${JSON.stringify(start)}. Check that it is the model itself and not a page about it.`,
    details: { name },
  })
}

/** The last part of a URL's path, for people. */
export function basename(url: string): string {
  const last = new URL(url).pathname.split('/').pop() || url
  try {
    return decodeURIComponent(last)
  } catch {
    return last
  }
}

function union(hashes: readonly string[], more: readonly string[]): readonly string[] {
  return [...new Set([...hashes, ...more])]
}

function unreadable(cause: unknown): BrasaError {
  return new BrasaError('storage_unavailable', {
    message:
      'The browser could not read back a part of the model: the file changed, or the disk is full. Load it again.',
    cause,
  })
}
