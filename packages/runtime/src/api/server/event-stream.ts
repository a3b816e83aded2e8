import { toBrasaError } from '../../errors.ts'
import type { TokenStream } from '../types.ts'
import { errorBody } from './error-response.ts'

/** One server-sent event. OpenAI's completions have no names, its responses do. */
export interface ServerSentEvent {
  readonly event?: string
  readonly data: unknown
}

export interface EventStreamOptions<Chunk> {
  readonly toEvent: (chunk: Chunk) => ServerSentEvent
  /** Whether `data: [DONE]` is the last event. */
  readonly endsWithDone: boolean
  readonly signal: AbortSignal
}

/**
 * Chunks as server-sent events. One is made when the reader asks for it, so that a slow reader holds up only itself; a reader that
 * leaves, or the signal, stops the model. An error in mid-stream is the last event, as OpenAI has it.
 */
export function eventStream<Chunk>(
  stream: TokenStream<Chunk>,
  { toEvent, endsWithDone, signal }: EventStreamOptions<Chunk>,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder()
  const chunks = stream[Symbol.asyncIterator]()
  let onAbort = () => {}
  let left = false
  const leave = () => {
    left = true
    signal.removeEventListener('abort', onAbort)
    // First the model, for the iterator may be waiting for it.
    stream.abort()
    void chunks.return?.().catch(() => {})
  }
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      start(controller) {
        onAbort = () => {
          leave()
          controller.error(signal.reason)
        }
        if (signal.aborted) onAbort()
        else signal.addEventListener('abort', onAbort, { once: true })
      },
      async pull(controller) {
        const send = (text: string) => controller.enqueue(encoder.encode(text))
        const end = () => {
          signal.removeEventListener('abort', onAbort)
          controller.close()
        }
        try {
          const { done, value } = await chunks.next()
          if (left) return
          if (!done) return send(eventText(toEvent(value)))
          if (endsWithDone) send('data: [DONE]\n\n')
        } catch (error) {
          if (left) return
          send(eventText({ data: errorBody(toBrasaError(error)) }))
        }
        end()
      },
      cancel: leave,
    },
    { highWaterMark: 0 },
  )
}

const eventText = ({ event, data }: ServerSentEvent) =>
  `${event === undefined ? '' : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`
