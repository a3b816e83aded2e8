import type { EngineClient } from '../../client/engine-client.ts'
import { BrasaError } from '../../errors.ts'
import { earlyHeadHeader } from '../../service-worker/wire.ts'
import type { Embeddings } from '../onnx-types.ts'
import type { ResponsesApi } from '../response-types.ts'
import type { StartOptions } from '../token-stream.ts'
import type { ChatCompletions, Completions, TokenStream } from '../types.ts'
import { eventStream, type ServerSentEvent } from './event-stream.ts'
import type { Metrics } from './metrics.ts'
import { createRouter, type Route, type Routes } from './router.ts'

export interface FetchParts {
  readonly metrics: Metrics
  readonly chat: ChatCompletions
  readonly completions: Completions
  readonly responses: ResponsesApi
  readonly embeddings: Embeddings
}

/** `engine.fetch`: the typed methods by their addresses. */
export function createEngineFetch(parts: FetchParts): typeof fetch {
  const { metrics, embeddings } = parts
  const { client } = metrics
  // What not every page uses is fetched by those that do.
  const tokens = async () => (await import('./token-routes.ts')).createTokenRoutes(client)
  const embedding = async () => (await import('./embedding-route.ts')).createEmbeddingRoute(embeddings)
  const bare = (data: unknown): ServerSentEvent => ({ data })
  const routes: Routes = {
    '/v1/chat/completions': { POST: answering(parts.chat, bare, true) },
    '/v1/completions': { POST: answering(parts.completions, bare, true) },
    '/v1/responses': {
      POST: answering(parts.responses, (data) => ({ event: (data as { type: string }).type, data }), false),
    },
    '/v1/embeddings': { POST: async (body, { signal }) => (await embedding())(body, signal) },
    '/v1/models': { GET: () => ({ object: 'list', data: [modelOf(client)] }) },
    '/v1/models/*': { GET: (_, { name }) => namedModel(client, name) },
    '/tokenize': { POST: async (body) => (await tokens()).tokenize(body) },
    '/detokenize': { POST: async (body) => (await tokens()).detokenize(body) },
    '/health': { GET: () => health(client) },
    '/metrics': { GET: () => metricsText(metrics) },
    '/openapi.json': { GET: async () => (await import('./openapi.ts')).openApi(Object.keys(routes)) },
  }
  return createRouter({ routes, onAnswer: metrics.countRequest })
}

interface Answering {
  create(request: never, options: StartOptions): Promise<object>
}

/** A typed method as a route. Streams tell their usage only where that is asked for, as OpenAI has it. */
function answering(
  { create }: Answering,
  toEvent: (chunk: unknown) => ServerSentEvent,
  endsWithDone: boolean,
): Route {
  return async (body, { headers, signal }) => {
    let onAccepted = () => {}
    const accepted = new Promise<void>((resolve) => {
      onAccepted = resolve
    })
    const made = create((endsWithDone ? withoutUsage(body) : body) as never, { signal, onAccepted })
    if (headers.has(earlyHeadHeader) && !asksForStream(body)) {
      await Promise.race([accepted, made])
      return jsonToCome(made)
    }
    const result = await made
    if (!(Symbol.asyncIterator in result)) return result
    const stream = eventStream(result as TokenStream<unknown>, { toEvent, endsWithDone, signal })
    return new Response(stream, {
      headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' },
    })
  }
}

const asksForStream = (body: unknown) => (body as { stream?: unknown } | null)?.stream === true

/** What fails from here on breaks the body off: the status is told. */
function jsonToCome(made: Promise<object>): Response {
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      try {
        controller.enqueue(new TextEncoder().encode(JSON.stringify(await made)))
        controller.close()
      } catch (error) {
        controller.error(error)
      }
    },
  })
  return new Response(body, { headers: { 'content-type': 'application/json' } })
}

function withoutUsage(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body
  const { stream, stream_options: options } = body as { stream?: unknown; stream_options?: unknown }
  if (stream !== true || (options !== undefined && options !== null)) return body
  return { ...body, stream_options: { include_usage: false } }
}

function modelOf(client: EngineClient) {
  const { id, contextLength } = client.loaded.model
  return { id, object: 'model', created: 0, owned_by: 'brasa', max_model_len: contextLength }
}

/** @throws BrasaError `unknown_model` */
function namedModel(client: EngineClient, name: string) {
  const model = modelOf(client)
  if (name === model.id) return model
  throw new BrasaError('unknown_model', {
    message: `There is no model "${name.slice(0, 80)}" here; "${model.id}" is loaded.`,
    details: { parameter: 'model' },
  })
}

/** @throws BrasaError where the model is lost and does not come back */
async function health(client: EngineClient) {
  await client.memory()
  const { model, device } = client.loaded
  return { status: 'ok', model: model.id, backend: device.backend }
}

async function metricsText(metrics: Metrics): Promise<Response> {
  const memory = await metrics.client.memory().catch(() => undefined)
  const headers = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }
  return new Response(metrics.text(memory), { headers })
}
