import type { EngineEvent } from '../protocol.ts'

export interface EventQueue {
  push(event: EngineEvent): void
  /** Ends the stream; what was pushed is still delivered. The first call counts. */
  close(): void
  /** Ends it with an error, likewise. */
  fail(error: unknown): void
  /** What was pushed since the last call, as soon as there is some; none when the stream has ended. One call at a time. */
  next(): Promise<readonly EngineEvent[]>
}

/**
 * Events of one stream on their way to the page, tokens at most once every `intervalMs`: a message costs about as much
 * as a small kernel. The first token leaves at once, and so does one after a pause.
 */
export function createEventQueue(intervalMs = 16): EventQueue {
  let events: EngineEvent[] = []
  let end: { error?: unknown } | undefined
  let wake: (() => void) | undefined
  let lastTokens = Number.NEGATIVE_INFINITY

  const finish = (result: { error?: unknown }) => {
    end ??= result
    wake?.()
  }

  return {
    push(event) {
      if (end) return
      const last = events.at(-1)
      if (last?.type === 'tokens' && event.type === 'tokens') {
        events[events.length - 1] = {
          type: 'tokens',
          thought: last.thought + event.thought,
          text: last.text + event.text,
          tokens: [...last.tokens, ...event.tokens],
          logprobs: [...last.logprobs, ...event.logprobs],
        }
      } else events.push(event)
      wake?.()
    },
    close: () => finish({}),
    fail: (error) => finish({ error }),
    async next() {
      while (events.length === 0 && !end) await new Promise<void>((resolve) => (wake = resolve))
      const wait = lastTokens + intervalMs - performance.now()
      if (wait > 0 && !end) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, wait)
          wake = () => {
            if (!end) return
            clearTimeout(timer)
            resolve()
          }
        })
      }
      wake = undefined
      if (events.length === 0 && end && 'error' in end) throw end.error
      const batch = events
      events = []
      if (batch.some(({ type }) => type === 'tokens')) lastTokens = performance.now()
      return batch
    },
  }
}
