import { aborted } from './abort.ts'

const loadLock = 'brasa/model/'
const useLock = 'brasa/use/'

/**
 * Runs `task` while no other tab, and no other call in this one, does so for the same model. The browser lets go of the
 * lock when the task ends or its tab dies.
 * @param onWait called where it is another's turn first
 * @throws BrasaError `aborted`, and what the task throws
 */
export async function underModelLock<T>(
  id: string,
  signal: AbortSignal,
  task: () => Promise<T>,
  onWait: () => void = () => {},
): Promise<T> {
  // Absent only where crypto.subtle is too, which says so itself.
  if (globalThis.navigator?.locks === undefined) return task()
  const atOnce = await navigator.locks.request(`${loadLock}${id}`, { ifAvailable: true }, async (lock) =>
    lock === null ? undefined : { result: await task() },
  )
  if (atOnce !== undefined) return atOnce.result
  onWait()
  let started = false
  try {
    return await navigator.locks.request(`${loadLock}${id}`, { signal }, () => {
      started = true
      return task()
    })
  } catch (error) {
    if (!started && signal.aborted) throw aborted(signal)
    throw error
  }
}

/** Tells all tabs that a model is in use, until the function it returns is called or this worker ends. */
export function holdInUse(id: string): () => void {
  if (globalThis.navigator?.locks === undefined) return () => {}
  const { promise, resolve } = Promise.withResolvers<void>()
  navigator.locks.request(`${useLock}${id}`, { mode: 'shared' }, () => promise).catch(() => {})
  return resolve
}

/** Models that some tab is using, or loading. */
export async function modelsInUse(): Promise<ReadonlySet<string>> {
  const { held = [] } = (await globalThis.navigator?.locks?.query()) ?? {}
  const names = held.map(({ name = '' }) => name)
  return new Set(
    [loadLock, useLock].flatMap((lock) =>
      names.flatMap((name) => (name.startsWith(lock) ? [name.slice(lock.length)] : [])),
    ),
  )
}
