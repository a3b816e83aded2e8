import type { EngineEvent, TokensEvent } from '../protocol.ts'

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
      const place = events.findLastIndex((earlier) => isOfSameAnswer(earlier, event))
      const last = events[place]
      if (last?.type === 'tokens' && event.type === 'tokens') events[place] = joined(last, event)
      else events.push(event)
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

function isOfSameAnswer(one: EngineEvent, other: EngineEvent): boolean {
  return one.type === 'tokens' && other.type === 'tokens' && one.answer === other.answer
}

function joined(one: TokensEvent, other: TokensEvent): TokensEvent {
  const toolCalls = [...(one.toolCalls ?? []), ...(other.toolCalls ?? [])]
  return {
    ...one,
    thought: one.thought + other.thought,
    text: one.text + other.text,
    tokens: [...one.tokens, ...other.tokens],
    logprobs: [...one.logprobs, ...other.logprobs],
    ...(toolCalls.length > 0 && { toolCalls }),
  }
}
