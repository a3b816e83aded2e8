import { BrasaError, isBrasaError } from '../errors.ts'
import { aborted, pause, untilAborted } from './abort.ts'

/** How requests are made, and how patiently. */
export interface HttpSettings {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
  /** How often a request is made before its error is the caller's. */
  readonly tries: number
  /** Before the second try, doubled before each further one. */
  readonly backOffMs: number
  /** A response that brings no byte for so long is given up. */
  readonly stallMs: number
}

export const defaultHttp: HttpSettings = {
  fetch: (url, init) => fetch(url, init),
  tries: 4,
  backOffMs: 500,
  stallMs: 30_000,
}

/** A successful response (2xx) whose body is read as it comes. */
export interface HttpResponse {
  readonly url: string
  readonly status: number
  readonly headers: Headers
  /** To be iterated once, or discarded. */
  chunks(): AsyncGenerator<Uint8Array<ArrayBuffer>, void>
  discard(): void
}

/**
 * Sends one GET. Bypasses the HTTP cache: the shard store is the cache, and bytes on the disk twice are room lost.
 * @throws BrasaError `http_error` for a status that is not 2xx, `network_error`, `aborted`; `chunks()` throws the last two
 */
export async function request(
  url: string,
  headers: Readonly<Record<string, string>>,
  http: HttpSettings,
  signal: AbortSignal,
): Promise<HttpResponse> {
  const stalled = new AbortController()
  const either = AbortSignal.any([signal, stalled.signal])
  let timer: ReturnType<typeof setTimeout> | undefined

  /** One wait for the server, which must end within `stallMs`. */
  const next = async <T>(promise: Promise<T>): Promise<T> => {
    timer = setTimeout(() => stalled.abort(), http.stallMs)
    try {
      return await untilAborted(promise, either)
    } catch (cause) {
      if (signal.aborted) throw aborted(signal)
      throw networkError(
        url,
        stalled.signal.aborted ? `sent nothing for ${http.stallMs / 1000} s` : 'broke off',
        cause,
      )
    } finally {
      clearTimeout(timer)
    }
  }

  const response = await next(http.fetch(url, { headers, signal: either, cache: 'no-store' }))
  const discard = () => {
    response.body?.cancel().catch(() => {})
  }
  if (!response.ok) {
    discard()
    throw httpError(url, response)
  }

  return {
    url,
    status: response.status,
    headers: response.headers,
    discard,
    async *chunks() {
      if (response.body === null) return
      const reader = response.body.getReader()
      try {
        for (;;) {
          const { done, value } = await next(reader.read())
          if (done) return
          yield value
        }
      } finally {
        reader.cancel().catch(() => {})
      }
    },
  }
}

/**
 * Runs `attempt` until it succeeds, its error is one that will not pass, or the tries are used up.
 * @param arrivedBytes of an attempt that goes on where the last one broke: one that got on counts as the first again
 */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  http: HttpSettings,
  signal: AbortSignal,
  arrivedBytes: () => number = () => 0,
): Promise<T> {
  let arrivedBefore = arrivedBytes()
  for (let tries = 1; ; tries++) {
    try {
      return await attempt()
    } catch (error) {
      if (arrivedBytes() - arrivedBefore >= worthwhileBytes) {
        tries = 1
        arrivedBefore = arrivedBytes()
      }
      if (tries >= http.tries || !mayPass(error, tries)) throw error
      const backOffMs = http.backOffMs * 2 ** (tries - 1) * (0.75 + Math.random() / 2)
      const askedForMs = Number(error.details.retryAfterMs ?? 0)
      if (askedForMs > maxRetryAfterMs) throw error
      await pause(Math.max(backOffMs, askedForMs), signal)
    }
  }
}

const maxRetryAfterMs = 60_000
/** An attempt that brings less than this is no progress, or a server that drops after every byte would be asked for ever. */
const worthwhileBytes = 64 * 1024
/** Request Timeout, Too Early, Too Many Requests; and every 5xx. Others say the same however often they are asked. */
const passingStatuses = new Set([408, 425, 429])

function mayPass(error: unknown, tries: number): error is BrasaError {
  if (!isBrasaError(error)) return false
  if (error.code === 'network_error') return error.details.changed !== true
  // Once more, for a proxy's sake: a server that has the wrong file will send it again.
  if (error.code === 'hash_mismatch') return tries === 1
  const status = Number(error.details.status)
  return error.code === 'http_error' && (status >= 500 || passingStatuses.has(status))
}

export function networkError(url: string, what: string, cause?: unknown): BrasaError {
  return new BrasaError('network_error', {
    message: `The server ${what} while loading ${url}. Check the connection and load again: what has arrived is kept. A server on another origin must also allow this page by CORS.`,
    details: { url },
    cause,
  })
}

function httpError(url: string, response: Response): BrasaError {
  const { status } = response
  const retryAfterMs = parseRetryAfter(response.headers.get('retry-after'))
  return new BrasaError('http_error', {
    message: `The server answered ${status} for ${url}. ${adviceFor(status)}`,
    details: { status, url, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
  })
}

function adviceFor(status: number): string {
  if (status === 401 || status === 403)
    return 'The file is not public: use another copy, or load it from a File.'
  if (status === 404 || status === 410) return 'Check the address: there is no such file.'
  if (status === 429) return 'It asks for fewer requests: wait and load again.'
  if (status >= 500) return 'The fault is the server’s: load again later, or from another copy.'
  return 'Check the address, or load the model from another copy.'
}

/** RFC 9110, section 10.2.3: seconds or a date. */
function parseRetryAfter(value: string | null): number | undefined {
  if (value === null) return undefined
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined
}
