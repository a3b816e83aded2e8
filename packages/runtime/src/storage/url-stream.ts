import { BrasaError } from '../errors.ts'
import { basename, checkMagic, type Download, type FetchedFile } from './download.ts'
import { type HttpResponse, networkError, request, withRetries } from './http.ts'
import type { ManifestShard } from './manifest.ts'
import { createSpool } from './spool.ts'

/**
 * Brings a file into the store from a server without Range: one response, cut into shards as it comes. After a break it has
 * to come again from the start; what was committed before is recognised by its hash and not written twice.
 * @param opened a response for the whole file that is there already
 */
export async function streamWhole(
  url: string,
  opened: HttpResponse | undefined,
  download: Download,
): Promise<FetchedFile> {
  const { http, signal } = download
  const shards = await withRetries(
    async () => {
      const response = opened ?? (await request(url, {}, http, signal))
      opened = undefined
      return cutIntoShards(url, response, download)
    },
    http,
    signal,
  )
  const size = shards.reduce((sum, shard) => sum + shard.size, 0)
  return { file: { name: basename(url), size, shards }, origin: { kind: 'url', url } }
}

async function cutIntoShards(
  url: string,
  response: HttpResponse,
  { heap, progress, shardBytes, format, hash, commit }: Download,
): Promise<readonly ManifestShard[]> {
  const total = bodyLength(response.headers)
  const shards: ManifestShard[] = []
  const spool = createSpool(heap)
  let arrived = 0

  async function commitNext(size: number): Promise<void> {
    const blob = spool.take(size)
    if (shards.length === 0) await checkMagic(blob, url, format)
    const sha256 = await hash(blob)
    await commit(sha256, blob)
    shards.push({ size, sha256 })
  }

  progress.expect(total ?? 0)
  try {
    for await (const chunk of response.chunks()) {
      arrived += chunk.byteLength
      progress.arrived(chunk.byteLength)
      spool.write(chunk)
      // Waiting here is what keeps the server from running ahead.
      while (spool.size >= shardBytes) await commitNext(shardBytes)
    }
    if (total !== undefined && arrived < total) throw networkError(url, 'closed the connection early')
    if (spool.size > 0) await commitNext(spool.size)
    if (shards.length === 0) {
      throw new BrasaError('truncated_model', {
        message: `${url} is empty. Check the address, or load the model from another copy.`,
        details: { url },
      })
    }
    return shards
  } catch (error) {
    progress.lost(arrived)
    progress.expect(-(total ?? 0))
    throw error
  } finally {
    spool.clear()
  }
}

/** Undefined where the server does not say, or says the length of compressed bytes. */
function bodyLength(headers: Headers): number | undefined {
  const length = headers.get('content-length')
  return length === null || headers.has('content-encoding') ? undefined : Number(length)
}
