import { BrasaError } from '../errors.ts'
import {
  type AnswerMessage,
  type AskMessage,
  earlyHeadHeader,
  engineLock,
  type HereMessage,
  isMessage,
  type RequestMessage,
  type WhoMessage,
} from './wire.ts'

export interface RegisterOptions {
  /** The service worker's script, served from this origin: the package's `service-worker.js`, or one that imports it. */
  readonly script: string | URL
  /** Path that `v1/…` is below; the script's own folder by default. */
  readonly scope?: string
  /** Stops answering when it fires. */
  readonly signal?: AbortSignal
}

export interface Registration {
  /** Address that OpenAI clients take: the scope's `v1`. */
  readonly baseUrl: string
  /** Resolves once this page is the one that answers; another one may be, as long as it lives. */
  readonly elected: Promise<void>
  /** Lets another page answer. The service worker stays. */
  release(): void
}

/**
 * Answers `v1/…` of this origin with `engine`, for every page below the scope: fetches there reach the engine through a
 * service worker. Of several pages that call it one is elected; when it is closed, the next one takes over.
 * @throws BrasaError `invalid_request` where there are no service workers, such as a page that is not secure;
 *   `network_error` if the script cannot be had
 */
export async function registerBrasa(
  engine: { fetch(request: Request): Promise<Response> },
  { script, scope, signal }: RegisterOptions,
): Promise<Registration> {
  const container = globalThis.navigator?.serviceWorker
  if (container === undefined || navigator.locks === undefined) {
    throw new BrasaError('invalid_request', {
      message: 'This page can have no service worker. Serve it over https, or from localhost.',
    })
  }
  const registration = await container
    .register(script, { type: 'module', ...(scope !== undefined && { scope }) })
    .catch((cause) => {
      throw new BrasaError('network_error', {
        message: `The service worker ${script} could not be registered. Is it served as a script, and is its scope below its folder?`,
        cause,
      })
    })
  await activated(registration)

  const controller = new AbortController()
  const release = () => controller.abort()
  signal?.addEventListener('abort', release, { once: true })
  const lifeLock = `brasa:page:${crypto.randomUUID()}`
  const here: HereMessage = { type: 'brasa:here', lifeLock }
  let isElected = false
  const onMessage = ({ data, ports, source }: MessageEvent) => {
    if (!isElected) return
    if (isMessage<WhoMessage>(data, 'brasa:who')) source?.postMessage(here as never)
    const [port] = ports
    if (port && isMessage<RequestMessage>(data, 'brasa:request')) void answer(engine, data, port)
  }
  container.addEventListener('message', onMessage)
  container.startMessages()

  const elected = new Promise<void>((resolve) => {
    const released = new Promise<void>((end) => controller.signal.addEventListener('abort', () => end()))
    void navigator.locks.request(lifeLock, () => released)
    navigator.locks
      .request(engineLock, { signal: controller.signal }, () => {
        isElected = true
        registration.active?.postMessage(here)
        resolve()
        return released
      })
      // Released before its turn came.
      .catch(() => {})
      .finally(() => {
        isElected = false
        container.removeEventListener('message', onMessage)
      })
  })
  return { baseUrl: new URL('v1', registration.scope).href, elected, release }
}

/** Waits until the worker answers this page's fetches too. */
async function activated(registration: ServiceWorkerRegistration): Promise<void> {
  const container = navigator.serviceWorker
  const isInScope = location.href.startsWith(registration.scope)
  await container.ready
  if (container.controller || !isInScope) return
  await new Promise((resolve) => container.addEventListener('controllerchange', resolve, { once: true }))
}

async function answer(
  engine: { fetch(request: Request): Promise<Response> },
  { url, method, headers, body }: RequestMessage,
  port: MessagePort,
): Promise<void> {
  const tell = (message: AnswerMessage) => port.postMessage(message)
  const controller = new AbortController()
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  port.onmessage = ({ data }: MessageEvent<AskMessage>) => {
    if (data.type === 'pull') void passOn()
    else {
      controller.abort()
      void reader?.cancel().catch(() => {})
      port.close()
    }
  }
  async function passOn(): Promise<void> {
    try {
      const { done, value } = (await reader?.read()) ?? { done: true, value: undefined }
      if (done) tell({ type: 'end' })
      // A copy: what the engine hands out may be part of a larger buffer.
      else tell({ type: 'chunk', bytes: new Uint8Array(value) })
    } catch (error) {
      tell({ type: 'failed', message: error instanceof Error ? error.message : String(error) })
    }
  }
  try {
    const entries = headers.map(([name, value]): [string, string] => [name, value])
    entries.push([earlyHeadHeader, '1'])
    const response = await engine.fetch(
      new Request(url, { method, headers: entries, body: body ?? null, signal: controller.signal }),
    )
    reader = response.body?.getReader()
    // Cancelled while the answer was on its way.
    if (controller.signal.aborted) return void reader?.cancel().catch(() => {})
    tell({ type: 'head', status: response.status, headers: [...response.headers] })
  } catch (error) {
    tell({ type: 'failed', message: error instanceof Error ? error.message : String(error) })
  }
}
