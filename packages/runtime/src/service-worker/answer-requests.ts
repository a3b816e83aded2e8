import {
  type AnswerMessage,
  type AskMessage,
  apiPath,
  type HereMessage,
  isMessage,
  type RequestMessage,
  type WhoMessage,
} from './wire.ts'

/** What of a service worker's global scope is used here: the DOM's types have none. */
export interface ServiceWorkerScope {
  readonly registration: { readonly scope: string }
  readonly clients: {
    matchAll(options: { type: 'window'; includeUncontrolled: boolean }): Promise<readonly Client[]>
    get(id: string): Promise<Client | undefined>
  }
  addEventListener(type: 'fetch', listener: (event: FetchEvent) => void): void
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void
}

interface Client {
  readonly id: string
  postMessage(message: unknown, transfer?: Transferable[]): void
}

interface FetchEvent {
  readonly request: Request
  respondWith(response: Promise<Response>): void
}

/** How long the page with the engine has to say so. */
const whoMs = 1000

interface Host {
  readonly client: Client
  readonly lifeLock: string
}

/**
 * Answers `v1/…` below the worker's scope from the page that has the engine. To be called while the worker's script first
 * runs; an app that has a service worker already calls it there, and its own `fetch` listener leaves these addresses alone.
 */
export function answerRequests(scope: ServiceWorkerScope): void {
  let host: Host | undefined
  /** Told of the next page that says it is here. */
  const waiting = new Set<(host: Host) => void>()

  scope.addEventListener('message', ({ data, source }) => {
    if (!isMessage<HereMessage>(data, 'brasa:here') || source === null) return
    host = { client: source as unknown as Client, lifeLock: data.lifeLock }
    for (const tell of waiting) tell(host)
    waiting.clear()
  })

  scope.addEventListener('fetch', (event) => {
    if (event.request.url.startsWith(scope.registration.scope + apiPath)) {
      event.respondWith(answer(event.request))
    }
  })

  async function answer(request: Request): Promise<Response> {
    const found = await findHost()
    if (found === undefined) {
      return failure('No page has the engine. Open the page that loads the model, and ask again.')
    }
    return forward(request, found)
  }

  /** A worker forgets everything when the browser stops it, which it does whenever there is nothing to do. */
  async function findHost(): Promise<Host | undefined> {
    if (host !== undefined && (await scope.clients.get(host.client.id))) return host
    host = undefined
    const here = new Promise<Host>((resolve) => waiting.add(resolve))
    const who: WhoMessage = { type: 'brasa:who' }
    for (const client of await scope.clients.matchAll({ type: 'window', includeUncontrolled: true })) {
      client.postMessage(who)
    }
    return Promise.race([here, new Promise<undefined>((resolve) => setTimeout(resolve, whoMs, undefined))])
  }
}

/** Passes a request on, and the answer back as it comes. Whatever ends it ends the port and the wait for the page's lock too. */
async function forward(request: Request, { client, lifeLock }: Host): Promise<Response> {
  const { signal } = request
  const body = await request.arrayBuffer()
  signal.throwIfAborted()
  const message: RequestMessage = {
    type: 'brasa:request',
    url: request.url,
    method: request.method,
    headers: [...request.headers],
    body: body.byteLength > 0 ? body : undefined,
  }
  const { port1: port, port2 } = new MessageChannel()
  const ask = (what: AskMessage) => port.postMessage(what)
  const gone = untilGone(lifeLock)
  return new Promise<Response>((resolve, reject) => {
    let controller: ReadableStreamDefaultController<Uint8Array> | undefined
    const release = () => {
      gone.stopWaiting()
      port.close()
      signal.removeEventListener('abort', onAbort)
    }
    const cancel = () => {
      ask({ type: 'cancel' })
      release()
    }
    const onAbort = () => {
      cancel()
      if (controller === undefined) reject(signal.reason)
      else controller.error(signal.reason)
    }
    const end = (error?: Error) => {
      release()
      if (controller === undefined)
        resolve(failure(error?.message ?? 'The page ended its answer before it began.'))
      else if (error) controller.error(error)
      else controller.close()
    }
    signal.addEventListener('abort', onAbort)
    gone.promise.then(() => end(new Error('The page that has the engine was closed. Ask again.')), ignore)
    port.onmessage = ({ data }: MessageEvent<AnswerMessage>) => {
      if (data.type === 'chunk') controller?.enqueue(data.bytes)
      else if (data.type === 'end') end()
      else if (data.type === 'failed') end(new Error(data.message))
      else {
        const stream = new ReadableStream<Uint8Array>(
          {
            start: (own) => {
              controller = own
            },
            pull: () => ask({ type: 'pull' }),
            cancel,
          },
          { highWaterMark: 1 },
        )
        // These say that there is none, and a Response with one throws.
        const isEmpty = data.status === 204 || data.status === 304
        resolve(
          new Response(isEmpty ? null : stream, { status: data.status, headers: toHeaders(data.headers) }),
        )
        if (isEmpty) end()
      }
    }
    client.postMessage(message, [port2])
  })
}

const ignore = () => {}
const toHeaders = (entries: readonly (readonly [string, string])[]) =>
  new Headers(entries.map(([name, value]): [string, string] => [name, value]))

/** Resolves when the page is gone: its lock is free then. A port says nothing about that. */
function untilGone(lifeLock: string): { promise: Promise<unknown>; stopWaiting: () => void } {
  const controller = new AbortController()
  const promise = navigator.locks.request(lifeLock, { signal: controller.signal, mode: 'shared' }, ignore)
  return { promise, stopWaiting: () => controller.abort() }
}

/** OpenAI's body for what is not there at the moment. */
function failure(message: string): Response {
  const error = { message, type: 'server_error', param: null, code: 'engine_unavailable' }
  return Response.json({ error }, { status: 503, headers: { 'Retry-After': '1' } })
}
