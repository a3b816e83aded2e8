import { BrasaError, isBrasaError } from '../errors.ts'
import { basename, checkMagic, type Download, type FetchedFile, inFlight } from './download.ts'
import { type HttpResponse, networkError, request, withRetries } from './http.ts'
import type { ManifestShard } from './manifest.ts'
import type { PartialFile } from './shard-store.ts'
import { createSpool } from './spool.ts'
import { streamWhole } from './url-stream.ts'

/** After so many changes the file is asked for in one response, which is of one version whatever happens. */
const maxRestarts = 2

/**
 * Brings the GGUF file at `url` into the store, as ranges where the server has them and as one stream where not. Ranges
 * that an earlier download committed are not fetched again while the server still names the same version of the file.
 * @param index the file's place in the model
 * @throws BrasaError `not_a_gguf`, `truncated_model` (empty), `http_error`, `network_error`, `aborted`
 */
export async function downloadUrl(url: string, index: number, download: Download): Promise<FetchedFile> {
  for (let restarts = 0; ; restarts++) {
    const attempt = countingDownload(download)
    try {
      return restarts < maxRestarts
        ? await downloadOnce(url, index, attempt)
        : await streamWhole(url, undefined, attempt)
    } catch (error) {
      if (!isChange(error) || restarts === maxRestarts) throw error
      // Half of one version and half of another is no model: begin again.
      attempt.takeBack()
      await download.setPartialFile(index, undefined)
    }
  }
}

async function downloadOnce(url: string, index: number, download: Download): Promise<FetchedFile> {
  const known = download.partialFile(index)
  if (known?.url === url && known.shards.some((sha256) => sha256 !== null && download.isStored(sha256))) {
    return fetchRanges(known, undefined, index, download)
  }
  const first = await firstRange(url, download)
  const size = first.status === 206 ? totalOf(first.headers) : undefined
  const validator = validatorOf(first.headers)
  if (size !== undefined && validator !== undefined) {
    const numShards = Math.ceil(size / download.shardBytes)
    const plan = { url, size, validator, shards: new Array<null>(numShards).fill(null) }
    await download.setPartialFile(index, plan)
    return fetchRanges(plan, first, index, download)
  }
  // A range of what cannot be told from another version: only one response for the whole is sure to be of one piece.
  if (first.status === 206) first.discard()
  return streamWhole(url, first.status === 206 ? undefined : first, download)
}

function firstRange(url: string, { http, signal, shardBytes }: Download): Promise<HttpResponse> {
  return withRetries(
    () => request(url, { range: `bytes=0-${shardBytes - 1}` }, http, signal),
    http,
    signal,
  ).catch((error) => {
    if (!isBrasaError(error) || error.details.status !== 416) throw error
    throw new BrasaError('truncated_model', {
      message: `${url} is empty. Check the address, or load the model from another copy.`,
      details: { url },
    })
  })
}

async function fetchRanges(
  plan: PartialFile,
  first: HttpResponse | undefined,
  index: number,
  download: Download,
): Promise<FetchedFile> {
  const { url, size, validator } = plan
  const sizeOf = (shard: number) => Math.min(download.shardBytes, size - shard * download.shardBytes)
  const hashes = plan.shards.map((sha256) => (sha256 !== null && download.isStored(sha256) ? sha256 : null))
  download.progress.expect(size)
  for (const [shard, sha256] of hashes.entries()) if (sha256 !== null) download.progress.cached(sizeOf(shard))

  const missing = hashes.flatMap((sha256, shard) => (sha256 === null ? [shard] : []))
  await inFlight(missing, download.signal, async (shard, signal) => {
    const opened = shard === 0 ? first : undefined
    const blob = await fetchRange(plan, shard * download.shardBytes, sizeOf(shard), opened, {
      ...download,
      signal,
    })
    if (shard === 0) await checkMagic(blob, url, download.format)
    const sha256 = await download.hash(blob)
    await download.commit(sha256, blob, { file: index, shard })
    hashes[shard] = sha256
  })

  const shards = hashes.map((sha256, shard): ManifestShard => ({ size: sizeOf(shard), sha256: sha256! }))
  return {
    file: { name: basename(url), size, shards },
    origin: { kind: 'url', url, ...(validator === undefined ? {} : { validator }) },
  }
}

/** One range; a connection that breaks off is taken up again where it broke. */
async function fetchRange(
  plan: PartialFile,
  start: number,
  length: number,
  first: HttpResponse | undefined,
  { http, signal, heap, progress }: Download,
): Promise<Blob> {
  const spool = createSpool(heap)
  let opened = first
  try {
    return await withRetries(
      async () => {
        const from = start + spool.size
        const response =
          opened ?? (await request(plan.url, rangeHeaders(plan, from, start + length), http, signal))
        opened = undefined
        if (!isSameFile(response, plan, from)) {
          response.discard()
          throw fileChanged(plan.url)
        }
        for await (const chunk of response.chunks()) {
          const wanted = chunk.subarray(0, length - spool.size)
          progress.arrived(wanted.byteLength)
          spool.write(wanted)
          if (spool.size === length) break
        }
        if (spool.size < length) throw networkError(plan.url, 'closed the connection early')
        return spool.take(length)
      },
      http,
      signal,
      () => spool.size,
    )
  } finally {
    spool.clear()
  }
}

/**
 * If-Range makes the server check the version before it sends a range. Browsers ask another origin for leave to send that
 * header, which few servers give, so there the version is compared when the response arrives.
 */
function rangeHeaders(plan: PartialFile, from: number, to: number): Record<string, string> {
  const range = `bytes=${from}-${to - 1}`
  const isOwn = new URL(plan.url).origin === globalThis.location?.origin
  return isOwn && plan.validator !== undefined ? { range, 'if-range': plan.validator } : { range }
}

function isSameFile(response: HttpResponse, plan: PartialFile, from: number): boolean {
  return (
    response.status === 206 &&
    validatorOf(response.headers) === plan.validator &&
    totalOf(response.headers) === plan.size &&
    response.headers.get('content-range')!.startsWith(`bytes ${from}-`)
  )
}

/** A strong ETag, else the date of the last change. RFC 9110, section 13.1.5. */
function validatorOf(headers: Headers): string | undefined {
  const etag = headers.get('etag')
  if (etag !== null && !etag.startsWith('W/')) return etag
  return headers.get('last-modified') ?? undefined
}

/** The file's size from Content-Range; undefined if the server does not say, or another origin may not. */
function totalOf(headers: Headers): number | undefined {
  const total = /^bytes \d+-\d+\/(\d+)$/.exec(headers.get('content-range') ?? '')?.[1]
  return total === undefined ? undefined : Number(total)
}

function fileChanged(url: string): BrasaError {
  return new BrasaError('network_error', {
    message: `${url} changed while it was loaded. Load it again.`,
    details: { url, changed: true },
  })
}

function isChange(error: unknown): boolean {
  return isBrasaError(error) && (error.details.changed === true || error.details.status === 416)
}

/** `download`, whose progress can be taken back. */
function countingDownload(download: Download): Download & { takeBack(): void } {
  const { progress } = download
  let expected = 0
  let loaded = 0
  return {
    ...download,
    progress: {
      ...progress,
      expect: (bytes) => {
        expected += bytes
        progress.expect(bytes)
      },
      cached: (bytes) => {
        loaded += bytes
        progress.cached(bytes)
      },
      arrived: (bytes) => {
        loaded += bytes
        progress.arrived(bytes)
      },
      lost: (bytes) => {
        loaded -= bytes
        progress.lost(bytes)
      },
    },
    takeBack: () => {
      progress.lost(loaded)
      progress.expect(-expected)
    },
  }
}
