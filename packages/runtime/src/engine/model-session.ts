import { BrasaError } from '../errors.ts'
import type { EngineEvent, LoadRequest } from '../protocol.ts'
import { type Conversation, createConversation } from './conversation.ts'
import type { LoadedModel, LoadModel } from './model.ts'

/** A loaded model and the conversation it holds. They live and die together. */
export interface ModelSession {
  readonly model: LoadedModel
  readonly conversation: Conversation
}

export interface ModelSessions {
  /** Loads a model in place of the one that was there. */
  load(request: LoadRequest, emit: (event: EngineEvent) => void, signal: AbortSignal): Promise<ModelSession>
  /** The session, loaded anew from storage if it was lost. @throws BrasaError `disposed`, what loading throws */
  current(emit: (event: EngineEvent) => void): Promise<ModelSession>
  /** Gives up a session whose executor failed. */
  drop(session: ModelSession): void
  /** For good. */
  dispose(): void
}

/** Keeps at most one model loaded, and what is needed to load it again. */
export function createModelSessions(loadModel: LoadModel): ModelSessions {
  let request: LoadRequest | undefined
  let session: Promise<ModelSession> | undefined
  let disposed = false

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
    return { model, conversation: createConversation(model.executor) }
  }

  function restart(emit: (event: EngineEvent) => void, signal: AbortSignal): Promise<ModelSession> {
    const starting = start(emit, signal)
    session = starting
    starting.catch(() => {
      if (session === starting) session = undefined
    })
    return starting
  }

  function release(): void {
    session?.then(({ model }) => model.executor.dispose()).catch(() => {})
    session = undefined
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
      return session ?? restart(emit, new AbortController().signal)
    },
    drop(lost) {
      const kept = session
      kept?.then((current) => {
        if (current === lost && session === kept) session = undefined
      })
      lost.model.executor.dispose()
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
