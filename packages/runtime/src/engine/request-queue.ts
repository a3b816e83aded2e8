export interface RequestQueue {
  /**
   * Runs `task` when all before it are done. A signal that fires while the task waits takes it out of the queue: the
   * promise then resolves to undefined.
   */
  run<T>(task: () => Promise<T>, signal: AbortSignal): Promise<T | undefined>
}

/** First come, first served, one at a time: an executor's sequences share its device. */
export function createRequestQueue(): RequestQueue {
  let last: Promise<unknown> = Promise.resolve()
  return {
    async run(task, signal) {
      if (signal.aborted) return undefined
      let started = false
      const turn = last.then(() => {
        if (signal.aborted) return undefined
        started = true
        return task()
      })
      last = turn.catch(() => {})
      const leftQueue = new Promise<undefined>((resolve) => {
        signal.addEventListener('abort', () => !started && resolve(undefined), { once: true })
      })
      return Promise.race([turn, leftQueue])
    },
  }
}
