import { BrasaError, throwIfAborted } from '../errors.ts'
import type { ByteSource } from './byte-source.ts'
import type { HttpSettings } from './http.ts'
import type { ManifestFile } from './manifest.ts'
import { openRemoteBytes, type RemoteBytes } from './remote-bytes.ts'
import { shardUrl } from './shard-folder.ts'

/** A model file where it comes from, before any of it is stored. Reads of its header cost little more than the header. */
export interface UnopenedFile extends ByteSource {
  close(): void
}

/** A File that a person chose. */
export function unopenedLocalFile(file: File): UnopenedFile {
  return {
    size: file.size,
    async read(offset, length, signal) {
      throwIfAborted(signal)
      try {
        return new Uint8Array(await file.slice(offset, offset + length).arrayBuffer())
      } catch (cause) {
        throw new BrasaError('storage_unavailable', {
          message: `${file.name} cannot be read: it changed or is gone. Choose it again.`,
          cause,
        })
      }
    },
    close: () => {},
  }
}

/**
 * A file of a shard folder; a shard is asked for when it is first read.
 * @throws its reads: BrasaError `malformed_manifest`, and what `openRemoteBytes` throws
 */
export function unopenedShards(
  { size, shards }: ManifestFile,
  manifestUrl: string,
  http: HttpSettings,
  signal: AbortSignal,
): UnopenedFile {
  const opened = new Map<number, Promise<RemoteBytes>>()
  const open = (index: number) => {
    const found = opened.get(index) ?? openRemoteBytes(shardUrl(shards[index]!, manifestUrl), http, signal)
    opened.set(index, found)
    return found
  }
  return {
    size,
    async read(offset, length) {
      const result = new Uint8Array(length)
      let start = 0
      for (const [index, shard] of shards.entries()) {
        const from = Math.max(offset, start)
        const to = Math.min(offset + length, start + shard.size)
        if (from < to) {
          const remote = await open(index)
          result.set(await remote.read(from - start, to - from), from - offset)
        }
        start += shard.size
      }
      return result
    },
    close() {
      for (const remote of opened.values()) remote.then(({ close }) => close()).catch(() => {})
    },
  }
}
