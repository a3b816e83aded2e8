import { proxy, transfer } from 'comlink'
import { BrasaError, throwIfAborted, toBrasaError } from '../errors.ts'
import type {
  CallId,
  ClassifyRequest,
  ClassifyResponse,
  EmbeddingRequest,
  EmbeddingResponse,
  Feeds,
  LoadEvents,
  OnnxService,
  Place,
  SessionInfo,
  SessionRequest,
  Tensors,
} from '../onnx-protocol.ts'
import {
  connectWorker,
  type SpawnWorker,
  spawnEngineWorker,
  type WorkerConnection,
} from './worker-connection.ts'

export interface OnnxCall {
  readonly onProgress?: LoadEvents['onProgress'] | undefined
  readonly onWarning?: LoadEvents['onWarning'] | undefined
  readonly signal?: AbortSignal | undefined
}

/** A session as the page holds it: opened again when its worker was lost. */
export interface SessionHandle {
  readonly info: SessionInfo
  run(feeds: Feeds): Promise<Tensors>
  release(): Promise<void>
}

/** ONNX models as the page holds them. Their worker starts with the first call. */
export interface OnnxClient {
  openSession(request: SessionRequest, call: OnnxCall): Promise<SessionHandle>
  embed(request: EmbeddingRequest, call: OnnxCall): Promise<EmbeddingResponse>
  classify(request: ClassifyRequest, call: OnnxCall): Promise<ClassifyResponse>
  dispose(): Promise<void>
}

export interface OnnxClientOptions {
  /** For tests; Brasa's own worker by default. */
  readonly spawn?: SpawnWorker
  /** After which a worker is given up; 60 s: a model of any size runs in one piece, and its worker hears nothing meanwhile. */
  readonly silenceMs?: number
}

export function createOnnxClient(
  place: Place,
  { spawn = spawnEngineWorker, silenceMs = 60_000 }: OnnxClientOptions = {},
): OnnxClient {
  let connection: WorkerConnection<OnnxService> | undefined
  let disposed: BrasaError | undefined
  let lastCall: CallId = 0

  function connect(): WorkerConnection<OnnxService> {
    if (disposed) throw disposed
    connection ??= connectWorker<OnnxService>(
      spawn,
      () => {
        connection = undefined
      },
      () => silenceMs,
    )
    return connection
  }

  /** A call that may load a model: it reports, and it can be stopped. */
  async function loading<T>(
    worker: WorkerConnection<OnnxService>,
    { onProgress, onWarning, signal }: OnnxCall,
    run: (
      call: CallId,
      events: LoadEvents,
    ) => (service: Parameters<Parameters<typeof worker.call>[0]>[0]) => Promise<T>,
  ): Promise<T> {
    throwIfAborted(signal)
    const id = ++lastCall
    const events = proxy<LoadEvents>({
      onProgress: (progress) => onProgress?.(progress),
      onWarning: (warning) => onWarning?.(warning),
    })
    const abort = () => void worker.call((service) => service.abortCall(id)).catch(() => {})
    signal?.addEventListener('abort', abort, { once: true })
    try {
      return await worker.call(run(id, events))
    } catch (error) {
      throw toBrasaError(error)
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  return {
    async openSession(request, call) {
      const open = (worker: WorkerConnection<OnnxService>, options: OnnxCall) =>
        loading(worker, options, (id, events) => (service) => service.openSession(id, request, place, events))
      let worker: WorkerConnection<OnnxService> | undefined = connect()
      const info = await open(worker, call)
      let opened = Promise.resolve(info)
      let released = false
      return {
        info,
        async run(feeds) {
          if (released) throw releasedError()
          const current = connect()
          if (current !== worker) {
            worker = current
            opened = open(current, {})
            // The next run tries again.
            opened.catch(() => {
              worker = undefined
            })
          }
          const { own, buffers } = movable(feeds)
          const { id } = await opened
          return current.call((service) => service.runSession(id, transfer(own, buffers)))
        },
        async release() {
          if (released) return
          released = true
          if (worker === undefined || connection !== worker || disposed) return
          const { id } = await opened
          await worker.call((service) => service.releaseSession(id))
        },
      }
    },
    embed: async (request, call) =>
      loading(connect(), call, (id, events) => (service) => service.embed(id, request, place, events)),
    classify: async (request, call) =>
      loading(connect(), call, (id, events) => (service) => service.classify(id, request, place, events)),
    async dispose() {
      disposed ??= new BrasaError('disposed', {
        message: 'This engine was disposed of. Create a new one with createEngine.',
      })
      connection?.close(disposed)
      connection = undefined
    },
  }
}

/**
 * Feeds whose buffers can move: of a view on a part of a buffer, whose rest is the caller's, the part is copied.
 * @throws BrasaError `invalid_request` for a buffer that has moved before
 */
function movable(feeds: Feeds): { own: Feeds; buffers: ArrayBuffer[] } {
  const buffers = new Set<ArrayBuffer>()
  const own = Object.entries(feeds ?? {}).map(([name, feed]) => {
    const data = feed?.data
    if (!ArrayBuffer.isView(data) || !(data.buffer instanceof ArrayBuffer)) return [name, feed] as const
    if (data.buffer.detached) {
      throw new BrasaError('invalid_request', {
        message: `The data of "${name}" moved to the worker in an earlier run. Pass a copy of what is to be used again.`,
        details: { parameter: name },
      })
    }
    const whole = data.byteLength === data.buffer.byteLength ? data : data.slice()
    buffers.add(whole.buffer as ArrayBuffer)
    return [name, { ...feed, data: whole }] as const
  })
  return { own: Object.fromEntries(own), buffers: [...buffers] }
}

function releasedError(): BrasaError {
  return new BrasaError('disposed', {
    message: 'This session was released. Create a new one with engine.sessions.create.',
  })
}
