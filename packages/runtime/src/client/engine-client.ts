import type { Remote } from 'comlink'
import type { DeviceCounters, DeviceInfo, MemoryInfo } from '../backends/executor.ts'
import { BrasaError, isBrasaError, throwIfAborted, toBrasaError } from '../errors.ts'
import type {
  EngineEvent,
  EngineService,
  EngineWarning,
  GenerateRequest,
  LoadProgress,
  LoadRequest,
  ModelInfo,
  ScoreRequest,
  StreamId,
  TokenScore,
} from '../protocol.ts'
import { untilAborted } from '../storage/abort.ts'
import { createFallbackPolicy, type Fallback } from './fallback.ts'
import {
  connectWorker,
  type SpawnWorker,
  spawnEngineWorker,
  type WorkerConnection,
} from './worker-connection.ts'

export interface EngineClientOptions {
  readonly request: LoadRequest
  readonly onProgress?: (progress: LoadProgress) => void
  readonly onWarning?: (warning: EngineWarning) => void
  /** For tests; Brasa's own worker by default. */
  readonly spawn?: SpawnWorker
}

/**
 * The engine as the page holds it: a worker that is replaced, and its model loaded again, when it is lost. Where `auto`
 * was asked for and a backend does not work, the replacement runs the next one, and answers go on there.
 */
export interface EngineClient {
  /** As of the last load. */
  readonly loaded: { readonly model: ModelInfo; readonly device: DeviceInfo }
  /** The answer's events; leaving the loop or the signal stops the model. Iterate it once. */
  generate(request: GenerateRequest, signal: AbortSignal): AsyncGenerator<AnswerEvent, void, undefined>
  tokenize(text: Parameters<EngineService['tokenize']>[0]): Promise<Uint32Array>
  /** What each token stands for, which may be a part of a character. @throws BrasaError `invalid_request` */
  tokenBytes(tokens: Uint32Array): Promise<readonly Uint8Array[]>
  /** @param onProgress called with the number of positions scored */
  score(
    request: ScoreRequest,
    signal: AbortSignal,
    onProgress?: (numScored: number) => void,
  ): Promise<{ readonly tokens: Uint32Array; readonly scores: readonly TokenScore[] }>
  memory(): Promise<MemoryInfo>
  counters(): Promise<DeviceCounters>
  dispose(): Promise<void>
}

export type AnswerEvent = Extract<EngineEvent, { type: 'accepted' | 'tokens' | 'done' }>
type StreamEvent = AnswerEvent | Extract<EngineEvent, { type: 'tokenized' | 'scored' }>

/**
 * Starts a worker and loads the model in it.
 * @throws BrasaError what loading throws; `aborted` when the signal fires, what has arrived being kept
 */
export async function createEngineClient(
  { request: wanted, onProgress, onWarning, spawn = spawnEngineWorker }: EngineClientOptions,
  signal?: AbortSignal,
): Promise<EngineClient> {
  throwIfAborted(signal)
  const fallback = createFallbackPolicy(wanted.backend)
  let request = wanted
  let connection: Promise<WorkerConnection> | undefined
  let loaded: EngineClient['loaded'] | undefined
  let disposed: BrasaError | undefined
  let lastStream: StreamId = 0
  /** Streams that ran side by side fail together when the GPU is lost: that is one loss. */
  let lastLoss: { worker: WorkerConnection; load: number } | undefined
  const open = new Set<WorkerConnection>()
  /** Workers that were left for the fallback. */
  const left = new WeakSet<WorkerConnection>()
  let untold: Fallback | undefined

  /** A load may choose anew where `auto` does: what was on the GPU may go on elsewhere. */
  function takeLoaded({ model, device }: NonNullable<EngineClient['loaded']>): void {
    const { backend, reason } = device
    const isOther = loaded !== undefined && loaded.device.backend !== backend
    if (isOther && (backend === 'wasm' || backend === 'ort')) untold ??= { backend, reason }
    loaded = { model, device }
    tellChange()
  }

  /** Takes what concerns the engine as a whole out of a stream, and passes the rest on. */
  function streamEventOf(event: EngineEvent): StreamEvent | undefined {
    if (event.type === 'progress') onProgress?.(event.progress)
    else if (event.type === 'warning') onWarning?.(event.warning)
    else if (event.type === 'loaded') takeLoaded(event)
    else return event
    return undefined
  }

  /** Reads a stream to its end. Whoever leaves earlier, or the signal, stops it. */
  async function* readStream(
    worker: WorkerConnection,
    stream: StreamId,
    streamSignal: AbortSignal | undefined,
  ): AsyncGenerator<StreamEvent, void, undefined> {
    const abort = () => void worker.call((service) => service.abort(stream)).catch(() => {})
    if (streamSignal?.aborted) abort()
    streamSignal?.addEventListener('abort', abort)
    let ended = false
    try {
      for (;;) {
        const events = await worker.call((service) => service.next(stream))
        if (events.length === 0) break
        for (const event of events) {
          const streamEvent = streamEventOf(event)
          if (streamEvent) yield streamEvent
        }
      }
      ended = true
    } catch (error) {
      ended = true
      throw toBrasaError(error)
    } finally {
      streamSignal?.removeEventListener('abort', abort)
      if (!ended) discard(worker, stream).catch(() => {})
    }
  }

  /** Stops a stream that nobody reads any more; the worker forgets it when its end was read. */
  async function discard(worker: WorkerConnection, stream: StreamId): Promise<void> {
    await worker.call((service) => service.abort(stream))
    while ((await worker.call((service) => service.next(stream))).length > 0);
  }

  /** Whether the next worker is to run the fallback because of this error. */
  function choosesFallback(worker: WorkerConnection, error: BrasaError): boolean {
    const { load } = error.details
    if (error.code === 'device_lost' && typeof load === 'number') {
      if (lastLoss?.worker === worker && lastLoss.load >= load) return false
      lastLoss = { worker, load }
    }
    const next = fallback.after(error)
    if (next === undefined) return false
    request = { ...request, ...next }
    if (loaded) untold = next
    return true
  }

  /** Whether what failed on this worker is to go on in a new one. All that runs there moves together. */
  function leaves(worker: WorkerConnection, error: unknown): boolean {
    if (left.has(worker)) return true
    if (!isBrasaError(error) || !choosesFallback(worker, error)) return false
    left.add(worker)
    open.delete(worker)
    connection = undefined
    worker.close(error)
    return true
  }

  /** What `auto` takes is known when the model is loaded, before anything computes for long. */
  function isOnCpu(): boolean {
    const backend = request.backend === 'auto' ? loaded?.device.backend : request.backend
    return backend === 'wasm' || backend === 'ort'
  }

  async function start(loadSignal?: AbortSignal): Promise<WorkerConnection> {
    const onLost = () => {
      open.delete(worker)
      connection = undefined
    }
    let isLoading = true
    const worker = connectWorker(spawn, onLost, () => (isLoading || isOnCpu() ? cpuSilenceMs : undefined))
    open.add(worker)
    const stream = ++lastStream
    const stopWaiting = closeWhenAborted(worker, loadSignal)
    try {
      await worker.call((service) => service.load(stream, request))
      for await (const _ of readStream(worker, stream, loadSignal));
      isLoading = false
      return worker
    } catch (error) {
      const reason = toBrasaError(error)
      open.delete(worker)
      worker.close(reason)
      if (disposed || loadSignal?.aborted || !choosesFallback(worker, reason)) throw reason
      return start(loadSignal)
    } finally {
      stopWaiting()
    }
  }

  function tellChange(): void {
    if (untold === undefined) return
    const name = { wasm: 'WebAssembly', ort: 'ONNX Runtime' }[untold.backend]
    const message = `${untold.reason} ${name} goes on from here, on the CPU. Load the model again to choose anew.`
    untold = undefined
    onWarning?.({ code: 'backend_changed', message })
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

  async function call<T>(run: (service: Remote<EngineService>) => Promise<T>): Promise<T> {
    const worker = await ready()
    try {
      return await worker.call(run)
    } catch (error) {
      if (!leaves(worker, error)) throw error
      return call(run)
    }
  }

  async function workerFor(requestSignal: AbortSignal): Promise<WorkerConnection> {
    try {
      return await untilAborted(ready(), requestSignal)
    } catch (error) {
      throwIfAborted(requestSignal)
      throw error
    }
  }

  /** Asks again in a new worker, or in the same one where the GPU was lost before anything was seen. */
  async function* answer(
    generateRequest: GenerateRequest,
    answerSignal: AbortSignal,
  ): AsyncGenerator<AnswerEvent, void, undefined> {
    const { numAnswers = 1 } = generateRequest.settings
    const answered = Array.from({ length: numAnswers }, () => ({ tokens: [] as number[], isDone: false }))
    let accepted = false
    let mayRepeat = true
    for (;;) {
      const worker = await workerFor(answerSignal)
      const stream = ++lastStream
      try {
        await worker.call((service) => service.generate(stream, { ...generateRequest, answered }))
        for await (const event of readStream(worker, stream, answerSignal)) {
          if (event.type === 'tokenized' || event.type === 'scored') continue
          if (event.type === 'accepted' && accepted) continue
          accepted ||= event.type === 'accepted'
          if (event.type === 'tokens') answered[event.answer ?? 0]!.tokens.push(...event.tokens)
          if (event.type === 'done') answered[event.answer ?? 0]!.isDone = true
          yield event
        }
        return
      } catch (error) {
        if (answered.every(({ isDone }) => isDone)) return
        if (leaves(worker, error)) continue
        const isLoss = isBrasaError(error) && error.code === 'device_lost'
        if (!isLoss || !mayRepeat || answered.some(({ tokens }) => tokens.length > 0)) throw error
        mayRepeat = false
      }
    }
  }

  /** Begins anew where the GPU or the backend was lost: the scores are the same there, but for rounding. */
  async function score(
    scoreRequest: ScoreRequest,
    scoreSignal: AbortSignal,
    onScored?: (numScored: number) => void,
  ): Promise<{ tokens: Uint32Array; scores: TokenScore[] }> {
    for (let mayRepeat = true; ; ) {
      const worker = await workerFor(scoreSignal)
      const stream = ++lastStream
      const scores: TokenScore[] = []
      let tokens = new Uint32Array()
      try {
        await worker.call((service) => service.score(stream, scoreRequest))
        for await (const event of readStream(worker, stream, scoreSignal)) {
          if (event.type === 'tokenized') tokens = Uint32Array.from(event.tokens)
          if (event.type !== 'scored') continue
          scores.push(...event.scores)
          onScored?.(scores.length)
        }
        return { tokens, scores }
      } catch (error) {
        if (leaves(worker, error)) continue
        const isLoss = isBrasaError(error) && error.code === 'device_lost'
        if (!isLoss || !mayRepeat) throw error
        mayRepeat = false
      }
    }
  }

  await ready(signal)

  return {
    get loaded() {
      return loaded!
    },
    generate: answer,
    tokenize: (text) => call((service) => service.tokenize(text)),
    tokenBytes: (tokens) => call((service) => service.tokenBytes(tokens)),
    score,
    memory: () => call((service) => service.memory()),
    counters: () => call((service) => service.counters()),
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

/**
 * These compute on the worker's own thread: making a session, or a piece of a prompt, takes seconds on a machine that is slow
 * or has other work. So does reading a vocabulary of 262,144 tokens while a model loads.
 */
const cpuSilenceMs = 15_000

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
