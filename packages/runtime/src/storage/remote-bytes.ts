import { BrasaError, isBrasaError } from '../errors.ts'
import type { ByteSource } from './byte-source.ts'
import { type HttpResponse, type HttpSettings, networkError, request, withRetries } from './http.ts'

/** A file on a server, read where it is wanted and kept nowhere. */
export interface RemoteBytes extends ByteSource {
  /** Ends a response that is still open. */
  close(): void
}

/** What the first request asks for: enough to tell what the file is. */
const firstBytes = 256 * 1024

/**
 * Opens the file at `url` for reading in ranges. From a server that knows none it comes as one response, which is read as
 * far as it is needed and then broken off.
 * @param signal of every read
 * @throws BrasaError `truncated_model` (empty), `http_error`, `network_error`, `aborted`; `read` throws the same
 */
export async function openRemoteBytes(
  url: string,
  http: HttpSettings,
  signal: AbortSignal,
): Promise<RemoteBytes> {
  /** The file's start, where the server sends it whole. */
  let stream: PrefixReader | undefined
  let size: number | undefined

  async function fetchRange(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const response = await request(url, { range: `bytes=${offset}-${offset + length - 1}` }, http, signal)
    if (response.status === 206) {
      size ??= totalOf(response.headers)
      const part = prefixReader(response)
      await part.readTo(length)
      part.close()
      return part.slice(0, length)
    }
    stream = prefixReader(response)
    size ??= bodyLength(response.headers)
    return readStream(stream, offset, length)
  }

  async function readStream(prefix: PrefixReader, offset: number, length: number) {
    await prefix.readTo(offset + length)
    if (prefix.hasEnded) size = prefix.length
    return prefix.slice(offset, length)
  }

  /** Fewer bytes than `length` where the file ends. */
  function readSome(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const attempt = () =>
      stream === undefined ? fetchRange(offset, length) : readStream(stream, offset, length)
    return withRetries(
      () =>
        attempt().catch((error) => {
          // A response that broke off has to begin again.
          stream = undefined
          throw error
        }),
      http,
      signal,
    )
  }

  const first = await readSome(0, firstBytes).catch((error) => {
    throw isBrasaError(error) && error.details.status === 416 ? isEmpty(url) : error
  })
  if (first.length === 0) throw isEmpty(url)

  return {
    get size() {
      return size ?? (first.length < firstBytes ? first.length : Number.MAX_SAFE_INTEGER)
    },
    async read(offset, length) {
      if (offset + length <= first.length) return first.slice(offset, offset + length)
      const bytes = await readSome(offset, length)
      if (bytes.length === length) return bytes
      throw networkError(url, `closed the connection after ${offset + bytes.length} bytes`)
    },
    close: () => stream?.close(),
  }
}

interface PrefixReader {
  /** Bytes that have arrived. */
  readonly length: number
  readonly hasEnded: boolean
  readTo(end: number): Promise<void>
  slice(offset: number, length: number): Uint8Array<ArrayBuffer>
  close(): void
}

/** Reads a response as far as it is asked to, and keeps what it read. */
function prefixReader(response: HttpResponse): PrefixReader {
  const chunks = response.chunks()
  let bytes = new Uint8Array(0)
  let length = 0
  let hasEnded = false
  return {
    get length() {
      return length
    },
    get hasEnded() {
      return hasEnded
    },
    async readTo(end) {
      while (length < end && !hasEnded) {
        const { done, value } = await chunks.next()
        if (done) {
          hasEnded = true
          return
        }
        if (length + value.length > bytes.length) {
          const grown = new Uint8Array(Math.max(bytes.length * 2, length + value.length))
          grown.set(bytes.subarray(0, length))
          bytes = grown
        }
        bytes.set(value, length)
        length += value.length
      }
    },
    slice: (offset, count) => bytes.slice(offset, Math.min(offset + count, length)),
    close: () => void chunks.return(),
  }
}

function totalOf(headers: Headers): number | undefined {
  const total = /\/(\d+)$/.exec(headers.get('content-range') ?? '')?.[1]
  return total === undefined ? undefined : Number(total)
}

/** Undefined where the server does not say, or says the length of compressed bytes. */
function bodyLength(headers: Headers): number | undefined {
  const length = headers.get('content-length')
  return length === null || headers.has('content-encoding') ? undefined : Number(length)
}

function isEmpty(url: string): BrasaError {
  return new BrasaError('truncated_model', {
    message: `${url} is empty. Check the address, or load the model from another copy.`,
    details: { url },
  })
}
