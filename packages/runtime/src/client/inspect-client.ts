import { BrasaError, throwIfAborted, toBrasaError } from '../errors.ts'
import type { InspectRequest, InspectService, ModelInspection } from '../protocol.ts'
import { connectWorker, type SpawnWorker, spawnEngineWorker } from './worker-connection.ts'

/** A vocabulary of 262,144 tokens is read in one piece. */
const silenceMs = 15_000

/**
 * Inspects a model in a worker of its own, which ends with the answer: an engine that is answering does not wait for it.
 * @throws BrasaError what inspecting throws; `aborted`, `worker_lost`
 */
export async function inspectInWorker(
  request: InspectRequest,
  signal?: AbortSignal,
  spawn: SpawnWorker = spawnEngineWorker,
): Promise<ModelInspection> {
  throwIfAborted(signal)
  const worker = connectWorker<InspectService>(
    spawn,
    () => {},
    () => silenceMs,
  )
  const close = (reason: string) => worker.close(new BrasaError('aborted', { message: reason }))
  const abort = () => close('Inspecting the model was stopped.')
  signal?.addEventListener('abort', abort, { once: true })
  try {
    return await worker.call((service) => service.inspect(request))
  } catch (error) {
    throw toBrasaError(error)
  } finally {
    signal?.removeEventListener('abort', abort)
    close('The model was inspected.')
  }
}
