import { BrasaError } from '../errors.ts'
import { type Download, inFlight } from './download.ts'
import { hashMismatch } from './hash.ts'
import { networkError, request, withRetries } from './http.ts'
import type { Manifest, ManifestShard } from './manifest.ts'
import { manifestHashes } from './shard-store.ts'
import { createSpool } from './spool.ts'

/** Brings the shards of a folder into the store, save those that are there. */
export async function downloadFolder(
  manifest: Manifest,
  manifestUrl: string,
  download: Download,
): Promise<void> {
  await download.expectShards(manifestHashes(manifest))
  const shards = [
    ...new Map(manifest.files.flatMap((file) => file.shards.map((shard) => [shard.sha256, shard]))).values(),
  ]
  for (const shard of shards) {
    download.progress.expect(shard.size)
    if (download.isStored(shard.sha256)) download.progress.cached(shard.size)
  }
  const missing = shards.filter((shard) => !download.isStored(shard.sha256))
  await inFlight(missing, download.signal, async (shard, signal) => {
    const range = { url: shardUrl(shard, manifestUrl), start: 0 }
    await download.commit(shard.sha256, await fetchVerified(range, shard, { ...download, signal }))
  })
}

/** Where a shard of a folder is. @throws BrasaError `malformed_manifest` if its manifest gives it no path */
export function shardUrl(shard: ManifestShard, manifestUrl: string): string {
  if (shard.path === undefined) {
    throw new BrasaError('malformed_manifest', {
      message: `${manifestUrl} has a shard without a path. Make the folder again with \`npm run shard\`.`,
    })
  }
  return new URL(shard.path, manifestUrl).href
}

/**
 * Fetches the bytes that `shard` names, from `start` of what is at `url` (a whole body where that is 0 and `isRange` is left
 * out), and compares their hash.
 * @throws BrasaError `hash_mismatch`, `truncated_model`, `malformed_manifest` if there is more than the shard,
 *   `http_error`, `network_error`, `aborted`
 */
export function fetchVerified(
  { url, start, isRange = false }: { url: string; start: number; isRange?: boolean },
  shard: ManifestShard,
  { http, signal, heap, progress, hash }: Pick<Download, 'http' | 'signal' | 'heap' | 'progress' | 'hash'>,
): Promise<Blob> {
  return withRetries(
    async () => {
      const spool = createSpool(heap)
      let arrived = 0
      try {
        const headers: Record<string, string> = isRange
          ? { range: `bytes=${start}-${start + shard.size - 1}` }
          : {}
        const response = await request(url, headers, http, signal)
        let skip = isRange && response.status !== 206 ? start : 0
        for await (const whole of response.chunks()) {
          const chunk = whole.subarray(Math.min(skip, whole.byteLength))
          skip -= whole.byteLength - chunk.byteLength
          if (isRange && spool.size + chunk.byteLength > shard.size) {
            spool.write(chunk.subarray(0, shard.size - spool.size))
            break
          }
          if (spool.size + chunk.byteLength > shard.size) throw tooLong(url, shard)
          arrived += chunk.byteLength
          progress.arrived(chunk.byteLength)
          spool.write(chunk)
        }
        if (spool.size < shard.size) throw cutShort(url, shard.size, spool.size, response.headers)
        const blob = spool.take(shard.size)
        const actual = await hash(blob)
        if (actual !== shard.sha256) {
          throw hashMismatch(
            url,
            shard.sha256,
            actual,
            'The copy on the server is damaged or of another version: get the model elsewhere, or make its folder again.',
          )
        }
        return blob
      } catch (error) {
        progress.lost(arrived)
        throw error
      } finally {
        spool.clear()
      }
    },
    http,
    signal,
  )
}

/** A connection that broke off may do better next time; a file that really is that short will not. */
function cutShort(url: string, expected: number, actual: number, headers: Headers): BrasaError {
  const wholeBody = headers.get('content-length') === String(actual) && !headers.has('content-encoding')
  if (!wholeBody) return networkError(url, `closed the connection after ${actual} of ${expected} bytes`)
  return new BrasaError('truncated_model', {
    message: `${url} has ${actual} bytes and should have ${expected}: the copy on the server is incomplete. Make it again.`,
    details: { url, expected, actual },
  })
}

function tooLong(url: string, shard: ManifestShard): BrasaError {
  return new BrasaError('malformed_manifest', {
    message: `${url} has more than the ${shard.size} bytes that its manifest promises. Make the folder again with \`npm run shard\`.`,
    details: { url, expected: shard.size },
  })
}
