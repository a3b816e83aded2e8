import { BrasaError, throwIfAborted } from '../errors.ts'
import type { ByteSource } from './byte-source.ts'
import { discard, type HeapMeter } from './heap-meter.ts'
import type { Manifest, ManifestFile } from './manifest.ts'
import { createMutex } from './mutex.ts'

/** One file of a model in the shard store. Its bytes were verified on their way out of the store. */
export interface StoredFile extends ByteSource {
  /** Basename, for people. */
  readonly name: string
  /**
   * The whole file, shard by shard from the start. Each is valid until the next is asked for, and the next is read
   * meanwhile; while it is waited for, so is the one after it, for one is hashed while another is read: two shards are alive
   * at most. Leave other reads of the model alone until it ends.
   */
  shards(signal?: AbortSignal): AsyncIterable<StoredShard>
}

export interface StoredShard {
  /** From the start of the file. */
  readonly offset: number
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** Verified bytes of one shard, fresh for the caller. */
export type LoadShard = (
  file: number,
  shard: number,
  signal: AbortSignal | undefined,
) => Promise<Uint8Array<ArrayBuffer>>

/** The files of a model, which together keep the one shard that was read last. */
export function storedFiles(manifest: Manifest, load: LoadShard, heap: HeapMeter): readonly StoredFile[] {
  const oneAtATime = createMutex()
  let kept: { file: number; shard: number; bytes: Uint8Array<ArrayBuffer> } | undefined

  function drop(): void {
    if (kept !== undefined) {
      heap.release(kept.bytes.byteLength)
      discard(kept.bytes)
    }
    kept = undefined
  }

  const loadHeld: LoadShard = async (file, shard, signal) => {
    const bytes = await load(file, shard, signal)
    heap.hold(bytes.byteLength)
    return bytes
  }

  /** Only inside `oneAtATime`, so that readers of several files do not each hold a shard. */
  async function keep(file: number, shard: number, signal: AbortSignal | undefined) {
    throwIfAborted(signal)
    if (kept?.file === file && kept.shard === shard) return kept.bytes
    drop()
    const bytes = await loadHeld(file, shard, signal)
    kept = { file, shard, bytes }
    return bytes
  }

  return manifest.files.map((description, file) => {
    const starts = shardStarts(description)
    return {
      name: description.name,
      size: description.size,
      read: async (offset, length, signal) => {
        if (!isRangeOf(description.size, offset, length)) throw beyondEnd(description, offset, length)
        return oneAtATime(async () => {
          const result = new Uint8Array(length)
          for (let done = 0, shard = shardAt(starts, offset); done < length; shard++) {
            const bytes = await keep(file, shard, signal)
            const from = offset + done - starts[shard]!
            const part = bytes.subarray(from, from + length - done)
            result.set(part, done)
            done += part.byteLength
          }
          return result
        })
      },
      async *shards(signal) {
        /** Shards on their way, in order. */
        const ahead: Promise<Uint8Array<ArrayBuffer>>[] = []
        const readAhead = (shard: number) => {
          if (shard >= description.shards.length) return
          const next = loadHeld(file, shard, signal)
          next.catch(() => {})
          ahead.push(next)
        }
        try {
          for (let shard = 0; shard < description.shards.length; shard++) {
            throwIfAborted(signal)
            let next = ahead.shift()
            if (next === undefined) next = oneAtATime(() => keep(file, shard, signal))
            else drop()
            // Not beside a first shard that other reads may still hold up.
            if (shard > 0) readAhead(shard + 1)
            const bytes = await next
            kept = { file, shard, bytes }
            if (shard === 0) readAhead(1)
            yield { offset: starts[shard]!, bytes }
          }
        } finally {
          drop()
          // Left early: shards that are on their way are nobody's.
          for (const next of ahead) next.then((bytes) => heap.release(bytes.byteLength)).catch(() => {})
        }
      },
    }
  })
}

function shardStarts(file: ManifestFile): readonly number[] {
  let start = 0
  return file.shards.map((shard) => {
    start += shard.size
    return start - shard.size
  })
}

function shardAt(starts: readonly number[], offset: number): number {
  let low = 0
  let high = starts.length
  while (high - low > 1) {
    const middle = (low + high) >>> 1
    if (starts[middle]! <= offset) low = middle
    else high = middle
  }
  return low
}

function isRangeOf(size: number, offset: number, length: number): boolean {
  return (
    Number.isSafeInteger(offset) &&
    Number.isSafeInteger(length) &&
    offset >= 0 &&
    length >= 0 &&
    offset + length <= size
  )
}

function beyondEnd(file: ManifestFile, offset: number, length: number): BrasaError {
  return new BrasaError('truncated_model', {
    message: `${file.name} ends at byte ${file.size}, and bytes ${offset} to ${offset + length} were wanted: the file is incomplete. Get it again.`,
    details: { size: file.size, offset, length },
  })
}
