import type { DeviceCounters, DeviceInfo, MemoryInfo } from '../backends/executor.ts'
import { BrasaError, throwIfAborted, toBrasaError } from '../errors.ts'
import type {
  EngineEvent,
  EngineWarning,
  GenerateRequest,
  LoadProgress,
  LoadRequest,
  ModelInfo,
  StreamId,
} from '../protocol.ts'
import { untilAborted } from '../storage/abort.ts'
import { connectWorker, type SpawnWorker, type WorkerConnection } from './worker-connection.ts'

export interface EngineClientOptions {
  readonly request: LoadRequest
  readonly onProgress?: (progress: LoadProgress) => void
  readonly onWarning?: (warning: EngineWarning) => void
  /** For tests; Brasa's own worker by default. */
  readonly spawn?: SpawnWorker
}

/** The engine as the page holds it: a worker that is replaced, and its model loaded again, when it is lost. */
export interface EngineClient {
  /** As of the last load. */
  readonly loaded: { readonly model: ModelInfo; readonly device: DeviceInfo }
  /** The answer's events; leaving the loop or the signal stops the model. Iterate it once. */
  generate(request: GenerateRequest, signal: AbortSignal): AsyncGenerator<AnswerEvent, void, undefined>
  tokenize(text: string): Promise<Uint32Array>
  memory(): Promise<MemoryInfo>
  counters(): Promise<DeviceCounters>
  dispose(): Promise<void>
}

export type AnswerEvent = Extract<EngineEvent, { type: 'accepted' | 'tokens' | 'done' }>

const spawnEngineWorker: SpawnWorker = () =>
  new Worker(new URL('../worker.ts', import.meta.url), { type: 'module', name: 'brasa' })

/**
 * Starts a worker and loads the model in it.
 * @throws BrasaError what loading throws; `aborted` when the signal fires, what has arrived being kept
 */
export async function createEngineClient(
  { request, onProgress, onWarning, spawn = spawnEngineWorker }: EngineClientOptions,
  signal?: AbortSignal,
): Promise<EngineClient> {
  throwIfAborted(signal)
  let connection: Promise<WorkerConnection> | undefined
  let loaded: EngineClient['loaded'] | undefined
  let disposed: BrasaError | undefined
  let lastStream: StreamId = 0
  const open = new Set<WorkerConnection>()

  /** Takes what concerns the engine as a whole out of a stream, and passes the rest on. */
  function answerEventOf(event: EngineEvent): AnswerEvent | undefined {
    if (event.type === 'progress') onProgress?.(event.progress)
    else if (event.type === 'warning') onWarning?.(event.warning)
    else if (event.type === 'loaded') loaded = { model: event.model, device: event.device }
    else return event
    return undefined
  }

  /** Reads a stream to its end. Whoever leaves earlier, or the signal, stops it. */
  async function* readStream(
    worker: WorkerConnection,
    stream: StreamId,
    streamSignal: AbortSignal | undefined,
  ): AsyncGenerator<AnswerEvent, void, undefined> {
    const abort = () => void worker.call((service) => service.abort(stream)).catch(() => {})
    if (streamSignal?.aborted) abort()
    streamSignal?.addEventListener('abort', abort)
    let ended = false
    try {
      for (;;) {
        const events = await worker.call((service) => service.next(stream))
        if (events.length === 0) break
        for (const event of events) {
          const answerEvent = answerEventOf(event)
          if (answerEvent) yield answerEvent
        }
      }
      ended = true
    } catch (error) {
      ended = true
      throw toBrasaError(error)
    } finally {
      streamSignal?.removeEventListener('abort', abort)
      if (!ended) abort()
    }
  }

  async function start(loadSignal?: AbortSignal): Promise<WorkerConnection> {
    const worker = connectWorker(spawn, () => {
      open.delete(worker)
      connection = undefined
    })
    open.add(worker)
    const stream = ++lastStream
    const stopWaiting = closeWhenAborted(worker, loadSignal)
    try {
      await worker.call((service) => service.load(stream, request))
      for await (const _ of readStream(worker, stream, loadSignal));
      return worker
    } catch (error) {
      const reason = toBrasaError(error)
      open.delete(worker)
      worker.close(reason)
      throw reason
    } finally {
      stopWaiting()
    }
  }

  /** The worker with the model in it, or a new one. */
  async function ready(loadSignal?: AbortSignal): Promise<WorkerConnection> {
    if (disposed) throw disposed
    if (!connection) {
      const starting = start(loadSignal)
      connection = starting
      starting.catch(() => {
        if (connection === starting) connection = undefined
      })
    }
    return connection
  }

  await ready(signal)

  return {
    get loaded() {
      return loaded!
    },
    async *generate(generateRequest, answerSignal) {
      const worker = await untilAborted(ready(), answerSignal).catch((error: unknown) => {
        throwIfAborted(answerSignal)
        throw error
      })
      const stream = ++lastStream
      await worker.call((service) => service.generate(stream, generateRequest))
      yield* readStream(worker, stream, answerSignal)
    },
    tokenize: async (text) => (await ready()).call((service) => service.tokenize(text)),
    memory: async () => (await ready()).call((service) => service.memory()),
    counters: async () => (await ready()).call((service) => service.counters()),
    async dispose() {
      disposed ??= new BrasaError('disposed', {
        message: 'This engine was disposed of. Create a new one with createEngine.',
      })
      for (const worker of open) {
        // The GPU's memory is free sooner when the worker lets go of it itself.
        const letGo = worker.call((service) => service.dispose()).catch(() => {})
        await Promise.race([letGo, new Promise((resolve) => setTimeout(resolve, 250))])
        worker.close(disposed)
      }
      open.clear()
      connection = undefined
    },
  }
}

/** How long a worker may take to leave a load in order. */
const graceMs = 500

/** Ends a worker that does not hear an abort, such as one that waits for shaders to compile. Returns the way to call it off. */
function closeWhenAborted(worker: WorkerConnection, signal: AbortSignal | undefined): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const onAbort = () => {
    const error = new BrasaError('aborted', {
      message: 'Loading the model was stopped. What had arrived is kept; load it again to go on.',
      cause: signal?.reason,
    })
    timer = setTimeout(() => worker.close(error), graceMs)
  }
  signal?.addEventListener('abort', onAbort, { once: true })
  return () => {
    signal?.removeEventListener('abort', onAbort)
    clearTimeout(timer)
  }
}
