import { aborted } from './abort.ts'

/**
 * Runs `task` while no other tab, and no other call in this one, does so for the same model. The browser lets go of the
 * lock when the task ends or its tab dies.
 * @throws BrasaError `aborted`, and what the task throws
 */
export async function underModelLock<T>(id: string, signal: AbortSignal, task: () => Promise<T>): Promise<T> {
  // Absent only where crypto.subtle is too, which says so itself.
  if (globalThis.navigator?.locks === undefined) return task()
  let started = false
  try {
    return await navigator.locks.request(`brasa/model/${id}`, { signal }, () => {
      started = true
      return task()
    })
  } catch (error) {
    if (!started && signal.aborted) throw aborted(signal)
    throw error
  }
}
