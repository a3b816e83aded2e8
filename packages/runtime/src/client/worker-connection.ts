import { type Remote, wrap } from 'comlink'
import { installErrorTransfer } from '../error-transfer.ts'
import { BrasaError } from '../errors.ts'
import type { EngineService } from '../protocol.ts'
import { startHeartbeat } from './heartbeat.ts'

export type SpawnWorker = () => Worker

/** Brasa's own worker. */
export const spawnEngineWorker: SpawnWorker = () =>
  new Worker(new URL('../worker.ts', import.meta.url), { type: 'module', name: 'brasa' })

export interface WorkerConnection<Service = EngineService> {
  /** A call to the worker. @throws BrasaError `worker_lost`, `disposed`, and what the worker throws */
  call<T>(run: (service: Remote<Service>) => Promise<T>): Promise<T>
  /** Ends the worker; calls that wait reject with `reason`. */
  close(reason: BrasaError): void
}

/**
 * Starts a worker and watches it.
 * @param onLost called once, before the calls that wait reject
 * @param silenceMs how long the worker may now take to come back to its event loop; 1.65 s by default
 */
export function connectWorker<Service extends { ping(): void } = EngineService>(
  spawn: SpawnWorker,
  onLost: () => void,
  silenceMs?: () => number | undefined,
): WorkerConnection<Service> {
  installErrorTransfer()
  const worker = spawn()
  const service = wrap<Service>(worker)
  const ping = (service as unknown as Remote<{ ping(): void }>).ping
  const pending = new Set<(reason: BrasaError) => void>()
  let closed: BrasaError | undefined

  function close(reason: BrasaError): void {
    if (closed) return
    closed = reason
    stopHeartbeat()
    // A stuck worker still burns a core, and a dead one may hold memory.
    worker.terminate()
    for (const reject of pending) reject(reason)
    pending.clear()
  }

  function lose(what: string, cause?: unknown): void {
    if (closed) return
    onLost()
    close(
      new BrasaError('worker_lost', {
        message: `${what} Ask again: a new worker loads the model from this device’s storage. If it happens again, close other tabs or choose a smaller model or contextLength.`,
        cause,
      }),
    )
  }

  worker.addEventListener('error', (event) => {
    event.preventDefault()
    const what = event.message
      ? `The engine’s worker failed: ${event.message}.`
      : 'The engine’s worker could not be started: its script did not load.'
    lose(what, event.error ?? undefined)
  })
  const stopHeartbeat = startHeartbeat(
    () => ping(),
    () => lose('The engine’s worker stopped answering: it crashed, was ended, or is stuck.'),
    silenceMs,
  )

  return {
    call(run) {
      if (closed) return Promise.reject(closed)
      return new Promise((resolve, reject) => {
        pending.add(reject)
        run(service)
          .then(resolve, reject)
          .finally(() => pending.delete(reject))
      })
    },
    close,
  }
}
