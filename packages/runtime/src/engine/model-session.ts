import { BrasaError } from '../errors.ts'
import type { EngineEvent, LoadRequest } from '../protocol.ts'
import type { LoadedModel, LoadModel } from './model.ts'
import { createScheduler, type Scheduler } from './scheduler.ts'

/** A loaded model and what runs on it. They live and die together. */
export interface ModelSession {
  readonly model: LoadedModel
  readonly scheduler: Scheduler
  /** Which load of this worker it comes from, counted from 1. */
  readonly load: number
}

export interface ModelSessions {
  /** Loads a model in place of the one that was there. */
  load(request: LoadRequest, emit: (event: EngineEvent) => void, signal: AbortSignal): Promise<ModelSession>
  /**
   * The session, loaded anew from storage if it was lost. Who has no stream to emit to leaves it to the next one to tell of it.
   * @throws BrasaError `disposed`, what loading throws
   */
  current(emit?: (event: EngineEvent) => void): Promise<ModelSession>
  /** For good. */
  dispose(): void
}

/** Keeps at most one model loaded, and what is needed to load it again. */
export function createModelSessions(loadModel: LoadModel): ModelSessions {
  let request: LoadRequest | undefined
  let session: Promise<ModelSession> | undefined
  /** The same, once it is there. */
  let live: ModelSession | undefined
  let numLoads = 0
  /** A load that nobody was told of. */
  let untold: EngineEvent | undefined
  let disposed = false

  const keepLoaded = (event: EngineEvent) => {
    if (event.type === 'loaded') untold = event
  }

  async function start(emit: (event: EngineEvent) => void, signal: AbortSignal): Promise<ModelSession> {
    const model = await loadModel(request!, {
      signal,
      onProgress: (progress) => emit({ type: 'progress', progress }),
      onWarning: (warning) => emit({ type: 'warning', warning }),
    })
    if (disposed) {
      model.executor.dispose()
      throw disposedError()
    }
    emit({ type: 'loaded', model: model.info, device: model.executor.device })
    const { executor, lookahead } = model
    // An executor that failed once is not trusted again.
    const onFailure = () => {
      if (live?.model === model) {
        live = undefined
        session = undefined
      }
      executor.dispose()
    }
    return { model, scheduler: createScheduler({ executor, lookahead, onFailure }), load: ++numLoads }
  }

  function restart(emit: (event: EngineEvent) => void, signal: AbortSignal): Promise<ModelSession> {
    const starting = start(emit, signal)
    session = starting
    starting.then(
      (started) => {
        if (session === starting) live = started
      },
      () => {
        if (session === starting) session = undefined
      },
    )
    return starting
  }

  function release(): void {
    session?.then(({ model }) => model.executor.dispose()).catch(() => {})
    session = undefined
    live = undefined
  }

  return {
    async load(newRequest, emit, signal) {
      if (disposed) throw disposedError()
      release()
      request = newRequest
      return restart(emit, signal)
    },
    async current(emit) {
      if (disposed) throw disposedError()
      if (!request) {
        throw new BrasaError('internal', { message: 'No model is loaded. Create an engine first.' })
      }
      // Not the caller's own signal: others may wait for the same load.
      const current = await (session ?? restart(emit ?? keepLoaded, new AbortController().signal))
      if (emit && untold) emit(untold)
      if (emit) untold = undefined
      return current
    },
    dispose() {
      disposed = true
      release()
    },
  }
}

function disposedError(): BrasaError {
  return new BrasaError('disposed', {
    message: 'This engine was disposed of. Create a new one with createEngine.',
  })
}
