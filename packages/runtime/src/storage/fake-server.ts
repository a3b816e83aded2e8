import type { HttpSettings } from './http.ts'

/** A server for tests, asked through an injected fetch: real Responses with real streams, and whatever misbehaviour. */
export interface FakeServer {
  readonly http: Pick<HttpSettings, 'fetch' | 'tries' | 'backOffMs' | 'stallMs'>
  readonly files: Map<string, FakeFile>
  /** Every request, in order. */
  readonly requests: FakeRequest[]
  /** Decides how a request is answered, where it should not simply be served. */
  behave: (request: FakeRequest) => Behaviour | undefined
}

export interface FakeFile {
  bytes: Uint8Array<ArrayBuffer>
  etag?: string
  /** False: the server ignores Range. */
  ranges?: boolean
}

export interface FakeRequest {
  readonly url: string
  readonly range: string | undefined
  readonly ifRange: string | undefined
  /** Bytes of the body that the client took. */
  sentBytes: number
}

export interface Behaviour {
  readonly status?: number
  readonly headers?: Record<string, string>
  /** The connection breaks after so many bytes of the body. */
  readonly dropAfter?: number
  /** The connection goes silent after so many bytes of the body. */
  readonly stallAfter?: number
  /** No connection at all. */
  readonly unreachable?: boolean
}

const chunkBytes = 64 * 1024

export function createFakeServer(files: Record<string, FakeFile> = {}): FakeServer {
  const server: FakeServer = {
    files: new Map(Object.entries(files).map(([path, file]) => [address(path), file])),
    requests: [],
    behave: () => undefined,
    http: { tries: 4, backOffMs: 1, stallMs: 30_000, fetch: answer },
  }

  async function answer(url: string, init: RequestInit): Promise<Response> {
    if (init.signal?.aborted) throw init.signal.reason
    const headers = new Headers(init.headers)
    const request: FakeRequest = {
      url,
      range: headers.get('range') ?? undefined,
      ifRange: headers.get('if-range') ?? undefined,
      sentBytes: 0,
    }
    server.requests.push(request)
    const behaviour = server.behave(request) ?? {}
    if (behaviour.unreachable) throw new TypeError('Failed to fetch')
    const file = server.files.get(url)
    const status = behaviour.status ?? (file === undefined ? 404 : 200)
    if (file === undefined || status >= 400) {
      return new Response('no', { status, headers: behaviour.headers ?? {} })
    }

    const answers: Record<string, string> = file.etag === undefined ? {} : { etag: file.etag }
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.range ?? '') ?? []
    const isCurrent = request.ifRange === undefined || request.ifRange === file.etag
    if (from === undefined || file.ranges === false || !isCurrent) {
      const all = { ...answers, 'content-length': `${file.bytes.byteLength}`, ...behaviour.headers }
      return new Response(body(file.bytes, behaviour, request), { status: 200, headers: all })
    }
    const start = Number(from)
    const end = Math.min(Number(to) + 1, file.bytes.byteLength)
    if (start >= file.bytes.byteLength) return new Response(null, { status: 416 })
    const contentRange = `bytes ${start}-${end - 1}/${file.bytes.byteLength}`
    const part = { ...answers, 'content-length': `${end - start}`, 'content-range': contentRange }
    return new Response(body(file.bytes.subarray(start, end), behaviour, request), {
      status: 206,
      headers: { ...part, ...behaviour.headers },
    })
  }

  return server
}

/** Where the fake server's files are: another origin than the page's has no If-Range, so the page's own. */
export function address(path: string): string {
  return new URL(path, globalThis.location.origin).href
}

function body(bytes: Uint8Array<ArrayBuffer>, behaviour: Behaviour, request: FakeRequest): ReadableStream {
  const { dropAfter = Number.POSITIVE_INFINITY, stallAfter = Number.POSITIVE_INFINITY } = behaviour
  let position = 0
  return new ReadableStream(
    {
      pull: async (controller) => {
        const end = Math.min(position + chunkBytes, bytes.byteLength, dropAfter, stallAfter)
        if (end > position) controller.enqueue(bytes.slice(position, end))
        request.sentBytes += end - position
        position = end
        if (position >= dropAfter) controller.error(new TypeError('network error'))
        else if (position >= bytes.byteLength) controller.close()
        else if (position >= stallAfter) await new Promise(() => {})
      },
    },
    { highWaterMark: 0 },
  )
}

/** Bytes that start like a GGUF file and never repeat. */
export function modelBytes(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(length / 4))
  let state = seed
  for (let index = 0; index < words.length; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    words[index] = state
  }
  words[0] = 0x46554747
  return new Uint8Array(words.buffer, 0, length).slice()
}
