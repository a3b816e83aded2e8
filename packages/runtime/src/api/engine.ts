import { createEngineClient, type EngineClient } from '../client/engine-client.ts'
import { inspectInWorker } from '../client/inspect-client.ts'
import { createOnnxClient, type OnnxClient } from '../client/onnx-client.ts'
import { clientWithoutModel } from '../client/without-model.ts'
import { BrasaError } from '../errors.ts'
import type { Place } from '../onnx-protocol.ts'
import { askToPersist } from '../storage/persistence.ts'
import { createChatCompletions } from './chat.ts'
import { parseChatRequest } from './chat-request.ts'
import { createClassify } from './classify.ts'
import { createEmbeddings } from './embeddings.ts'
import { catalogueUrlOf, pageUrl } from './models.ts'
import { createScore } from './score.ts'
import { createMetrics } from './server/metrics.ts'
import { createSessions } from './sessions.ts'
import type { Engine, EngineOptions, InspectOptions } from './types.ts'

/**
 * Loads a model in a worker of its own: from this browser's storage, or over the network into it.
 *
 * A worker or a GPU that is lost later is replaced by the next call. Dispose of an engine that is no longer needed.
 * @throws BrasaError `aborted` when `signal` fires (what has arrived is kept), `invalid_request`, `webgpu_unavailable`,
 *   `unknown_model` and everything else that can be wrong with a model, a network or a machine
 */
export async function createEngine(options: EngineOptions = {}): Promise<Engine> {
  const {
    model,
    backend = 'auto',
    linears,
    precision,
    threads,
    variant,
    contextLength,
    catalogueUrl,
    onProgress,
    onWarning,
    signal,
  } = options ?? {}
  if (model !== undefined) checkModel(model)
  checkMemoryOptions({ contextLength, linears, precision })
  checkCount('threads', threads, 'up to how many may compute')
  checkOneOf('variant', variant, ['base', 'fused', 'quads'])
  const place = { catalogueUrl: catalogueUrlOf(catalogueUrl), baseUrl: pageUrl() }
  const client =
    model === undefined
      ? clientWithoutModel()
      : await createEngineClient(
          {
            request: { model, backend, linears, precision, threads, variant, contextLength, ...place },
            onProgress,
            onWarning,
          },
          signal,
        )
  // Nobody waits for the answer: some browsers ask the person first.
  void askToPersist().then((warning) => warning && onWarning?.(warning), ignore)
  return engineOf(client, createOnnxClient(place), place)
}

const ignore = () => {}

/** The public surface over its clients: exported for tests. @internal */
export function engineOf(unmetered: EngineClient, onnx: OnnxClient, place: Place): Engine {
  const metrics = createMetrics(unmetered)
  const { client } = metrics
  const chat = createChatCompletions(client)
  const completions = fetchedWhenCalled(async () =>
    (await import('./completions.ts')).createCompletions(client),
  )
  const responses = fetchedWhenCalled(async () => (await import('./responses.ts')).createResponses(client))
  const embeddings = createEmbeddings(onnx)
  let server: Promise<typeof fetch> | undefined
  /** Routes are fetched by those who use them. */
  async function answer(...request: Parameters<typeof fetch>): Promise<Response> {
    server ??= import('./server/engine-fetch.ts').then(({ createEngineFetch }) =>
      createEngineFetch({ metrics, chat, completions, responses, embeddings }),
    )
    return (await server)(...request)
  }
  return {
    get model() {
      return client.loaded.model
    },
    get device() {
      return client.loaded.device
    },
    fetch: answer,
    chat: { completions: chat },
    completions,
    responses,
    sessions: createSessions(onnx),
    embeddings,
    classify: createClassify(onnx),
    async inspect(model, { contextLength, linears, signal }: InspectOptions = {}) {
      checkModel(model)
      checkMemoryOptions({ contextLength, linears })
      return inspectInWorker({ model, contextLength, linears, ...place }, signal)
    },
    async tokenize(text) {
      if (typeof text === 'string') return client.tokenize(text)
      if (Array.isArray(text))
        return client.tokenize({ input: parseChatRequest({ messages: text }).generate.input })
      throw new BrasaError('invalid_request', { message: 'tokenize takes a string, or a list of messages.' })
    },
    score: createScore(client),
    memory: () => client.memory(),
    counters: () => client.counters(),
    async dispose() {
      await Promise.all([client.dispose(), onnx.dispose()])
    },
  }
}

/** What not every page uses is fetched by those that do. */
function fetchedWhenCalled<Api extends { create: unknown }>(load: () => Promise<Api>): Api {
  let api: Promise<Api> | undefined
  async function create(...request: readonly unknown[]): Promise<unknown> {
    api ??= load()
    const answering = (await api) as unknown as { create(...request: readonly unknown[]): Promise<unknown> }
    return answering.create(...request)
  }
  // One implementation of all overloads.
  return { create } as unknown as Api
}

function checkModel(model: unknown): void {
  const isPart = (part: unknown) =>
    (typeof part === 'string' && part !== '') || (typeof File !== 'undefined' && part instanceof File)
  if (isPart(model) || (Array.isArray(model) && model.length > 0 && model.every(isPart))) return
  throw new BrasaError('invalid_request', {
    message:
      '"model" must be a catalogue name, hf:owner/repo/file.gguf, a URL, a File, or the list of a split model’s parts.',
    details: { parameter: 'model' },
  })
}

function checkOneOf(parameter: string, value: string | undefined, known: readonly string[]): void {
  if (value === undefined || known.includes(value)) return
  throw new BrasaError('invalid_request', {
    message: `"${parameter}" is ${String(value)}; it may be ${known.map((name) => `"${name}"`).join(' or ')}, or left out.`,
    details: { parameter, value: String(value) },
  })
}

function checkCount(parameter: string, value: unknown, upTo: string): void {
  if (value === undefined || (Number.isInteger(value) && Number(value) > 0)) return
  throw new BrasaError('invalid_request', {
    message: `"${parameter}" is ${String(value)}; it must be a whole number from 1 ${upTo}.`,
    details: { parameter, value: String(value) },
  })
}

function checkMemoryOptions({
  contextLength,
  linears,
  precision,
}: Pick<EngineOptions, 'contextLength' | 'linears' | 'precision'>): void {
  checkCount('contextLength', contextLength, 'up to what the model was trained for')
  checkOneOf('linears', linears, ['f32', 'int8'])
  checkOneOf('precision', precision, ['int8', 'int16', 'f32'])
}
