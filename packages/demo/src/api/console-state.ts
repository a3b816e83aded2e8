import type { Engine } from '@brasa/runtime'
import { signal } from '@preact/signals'
import { model, refreshMemory } from '../state/model.ts'
import { beginWork } from '../state/running.ts'
import { type ApiRequest, type Endpoint, endpointsOf, exampleRequest, examples } from './endpoints.ts'
import { createEventReader, type ServerEvent, textOf } from './event-stream.ts'
import { type MetricFigures, metricFigures } from './metrics.ts'
import { addressOf, type Way } from './request-code.ts'

/** What came back, as far as it has. */
export interface Reply {
  readonly status: number
  readonly statusText: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly way: Way['kind']
  /** Until the headers, and until the end. */
  readonly headMs: number
  readonly totalMs?: number
  readonly body: string
  /** Of a stream. */
  readonly events?: readonly ServerEvent[]
  readonly text?: string
}

export type ConsoleState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'sending'; readonly reply?: Reply }
  | { readonly kind: 'done'; readonly reply: Reply }
  /** The person stopped it: what had come stays. */
  | { readonly kind: 'stopped'; readonly reply?: Reply }
  /** There is no answer, or it broke off. */
  | { readonly kind: 'failed'; readonly message: string; readonly reply?: Reply }

export const endpoints = signal<readonly Endpoint[]>([])
export const request = signal<ApiRequest>(exampleRequest(examples[0]!, ''))
export const state = signal<ConsoleState>({ kind: 'idle' })
export const figures = signal<MetricFigures | undefined>(undefined)
/** Address of the API where a service worker answers it. */
export const workerBaseUrl = signal<string | undefined>(undefined)

/** Any host will do: no request leaves the page. */
const engineBaseUrl = 'https://brasa.invalid/v1'

/** A service worker answers what is below `/v1`; the rest is asked of the engine itself. */
export function wayTo(path: string): Way {
  const baseUrl = workerBaseUrl.value
  return baseUrl !== undefined && path.startsWith('/v1/')
    ? { kind: 'worker', baseUrl }
    : { kind: 'engine', baseUrl: engineBaseUrl }
}

/** Gets to know an engine: what it answers, and by which way. */
export async function meet(engine: Engine): Promise<void> {
  if (request.value.body.includes('"model": ""'))
    request.value = exampleRequest(examples[0]!, engine.model.id)
  try {
    endpoints.value = endpointsOf(await (await engine.fetch('/openapi.json')).json())
  } catch {
    // Its examples are there, and each request says what is wrong.
  }
  await lookForWorker(engine)
}

const numLooks = 8
const lookEveryMs = 1000

/** A service worker takes the page over, and the page its requests, a while after the model is there. */
async function lookForWorker(engine: Engine): Promise<void> {
  workerBaseUrl.value = undefined
  const isCurrent = () => model.value.kind === 'ready' && model.value.engine === engine
  for (let look = 0; look < numLooks && isCurrent(); look++) {
    workerBaseUrl.value = await findWorker()
    if (workerBaseUrl.value !== undefined) return
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs))
  }
}

/** The address below which a service worker answers for an engine; undefined where none does. */
async function findWorker(): Promise<string | undefined> {
  if (!navigator.serviceWorker?.controller) return undefined
  const base = new URL('v1', document.baseURI).href
  try {
    const response = await fetch(`${base}/models`)
    // A host's own 404 has none.
    return response.ok && response.headers.has('x-request-id') ? base : undefined
  } catch {
    return undefined
  }
}

let controller: AbortController | undefined

export const stop = (): void => controller?.abort()

/** Sends what the form says; tells how it goes in `state`, never throws. */
export async function send(): Promise<void> {
  if (model.value.kind !== 'ready' || state.value.kind === 'sending') return
  const own = new AbortController()
  controller = own
  const { engine } = model.value
  const { method, path, body } = request.value
  const way = wayTo(path)
  let reply: Reply | undefined
  let frame: number | undefined
  const show = () => {
    frame ??= requestAnimationFrame(() => {
      frame = undefined
      state.value = { kind: 'sending', ...(reply && { reply }) }
    })
  }
  const endWork = beginWork()
  const start = performance.now()
  state.value = { kind: 'sending' }
  try {
    const call = way.kind === 'worker' ? fetch : engine.fetch
    const response = await call(addressOf(path, way), {
      method,
      signal: own.signal,
      ...(method === 'POST' && { headers: { 'Content-Type': 'application/json' }, body }),
    })
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true
    reply = {
      status: response.status,
      statusText: response.statusText,
      headers: [...response.headers],
      way: way.kind,
      headMs: performance.now() - start,
      body: '',
      ...(isStream && { events: [], text: '' }),
    }
    show()
    const events = createEventReader()
    const pieces = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    for (let piece = await pieces?.read(); piece?.done === false; piece = await pieces?.read()) {
      reply = isStream
        ? withEvents(reply, events.read(piece.value))
        : { ...reply, body: reply.body + piece.value }
      show()
    }
    reply = { ...reply, totalMs: performance.now() - start }
    state.value = own.signal.aborted ? { kind: 'stopped', reply } : { kind: 'done', reply }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const known = reply === undefined ? {} : { reply: { ...reply, totalMs: performance.now() - start } }
    state.value = own.signal.aborted ? { kind: 'stopped', ...known } : { kind: 'failed', message, ...known }
  } finally {
    if (frame !== undefined) cancelAnimationFrame(frame)
    endWork()
    await Promise.all([refreshFigures(), refreshMemory()])
  }
}

const withEvents = (reply: Reply, events: readonly ServerEvent[]): Reply => ({
  ...reply,
  events: [...(reply.events ?? []), ...events],
  text: (reply.text ?? '') + events.map(textOf).join(''),
})

/** Counts of all requests to this engine, whoever made them. Only for show: a failure leaves the last ones. */
export async function refreshFigures(): Promise<void> {
  if (model.value.kind !== 'ready') return
  try {
    figures.value = metricFigures(await (await model.value.engine.fetch('/metrics')).text())
  } catch {
    // The next request tells what is wrong.
  }
}
