/**
 * Who writes an answer holds a lock of its name, so that other tabs, and this page after a crash, can tell an answer that is
 * being written from one that was cut off.
 */

const prefix = 'brasa.answer.'
const here = new Set<string>()
const awaited = new Set<string>()

/** Returns what gives the lock back. */
export function holdAnswer(answerId: string): () => void {
  const end = Promise.withResolvers<void>()
  here.add(answerId)
  void navigator.locks.request(prefix + answerId, () => end.promise)
  return () => {
    here.delete(answerId)
    end.resolve()
  }
}

export function writesHere(answerId: string): boolean {
  return here.has(answerId)
}

export async function heldAnswers(): Promise<ReadonlySet<string>> {
  const { held = [] } = await navigator.locks.query()
  const names = held.map(({ name }) => name ?? '').filter((name) => name.startsWith(prefix))
  return new Set(names.map((name) => name.slice(prefix.length)))
}

/** Calls once, when another tab has ended the answer or is gone. */
export function whenAnswerEnds(answerId: string, then: () => void): void {
  if (awaited.has(answerId)) return
  awaited.add(answerId)
  void navigator.locks.request(prefix + answerId, { mode: 'shared' }, () => {
    awaited.delete(answerId)
    // Once the lock is given back: who looks then must not find this one.
    setTimeout(then)
  })
}
