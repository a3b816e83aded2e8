import { BrasaError } from '../errors.ts'

export function aborted(signal: AbortSignal): BrasaError {
  return new BrasaError('aborted', {
    message: 'Loading the model was stopped. What had arrived is kept; load it again to go on.',
    cause: signal.reason,
  })
}

/** `promise`, or the signal's reason as soon as it aborts; for work that does not watch the signal itself. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    if (signal.aborted) {
      promise.catch(() => {})
      return onAbort()
    }
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

/** Waits; @throws BrasaError `aborted` */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const elapsed = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  try {
    await untilAborted(elapsed, signal)
  } catch {
    throw aborted(signal)
  } finally {
    clearTimeout(timer)
  }
}
