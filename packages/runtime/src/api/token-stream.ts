import type { AnswerEvent, EngineClient } from '../client/engine-client.ts'
import { BrasaError, throwIfAborted } from '../errors.ts'
import type { GenerateRequest } from '../protocol.ts'
import type { RequestOptions, TokenStream } from './types.ts'

/** An answer that the engine has accepted: its prompt is valid and fits. */
export interface Answer {
  /** To be iterated once. */
  readonly events: AsyncGenerator<AnswerEvent, void, undefined>
  abort(): void
}

/** @throws BrasaError `aborted` if the signal already is; what the engine says of the prompt */
export async function startAnswer(
  client: EngineClient,
  request: GenerateRequest,
  { signal }: RequestOptions = {},
): Promise<Answer> {
  throwIfAborted(signal)
  const controller = new AbortController()
  const abort = () => controller.abort()
  signal?.addEventListener('abort', abort, { once: true })
  const events = client.generate(request, controller.signal)
  const release = () => signal?.removeEventListener('abort', abort)
  try {
    const first = await events.next()
    return { events: resumed(events, first, release), abort }
  } catch (error) {
    release()
    throw error
  }
}

async function* resumed(
  events: AsyncGenerator<AnswerEvent, void, undefined>,
  first: IteratorResult<AnswerEvent, void>,
  release: () => void,
): AsyncGenerator<AnswerEvent, void, undefined> {
  try {
    if (!first.done) yield first.value
    yield* events
  } finally {
    release()
    await events.return()
  }
}

/** The answer as chunks, for `toChunk` returns undefined where there is nothing to say. */
export function createTokenStream<Chunk>(
  { events, abort }: Answer,
  toChunk: (event: AnswerEvent) => Chunk | undefined,
): TokenStream<Chunk> {
  let iterated = false
  async function* chunks() {
    for await (const event of events) {
      const chunk = toChunk(event)
      if (chunk !== undefined) yield chunk
    }
  }
  return {
    abort,
    [Symbol.asyncIterator]() {
      if (iterated) {
        throw new BrasaError('invalid_request', {
          message: 'A stream can be iterated once. Keep its chunks, or ask again.',
        })
      }
      iterated = true
      return chunks()
    },
  }
}

/** A whole answer. */
export interface CollectedAnswer {
  readonly thought: string
  readonly text: string
  readonly tokens: readonly number[]
  readonly logprobs: Extract<AnswerEvent, { type: 'tokens' }>['logprobs']
  readonly done: Extract<AnswerEvent, { type: 'done' }>
}

/** Waits for the end. @throws BrasaError `aborted` where the caller stopped it: half an answer is not what was asked for */
export async function collectAnswer({ events }: Answer): Promise<CollectedAnswer> {
  let thought = ''
  let text = ''
  const tokens: number[] = []
  const logprobs: CollectedAnswer['logprobs'][number][] = []
  for await (const event of events) {
    if (event.type === 'tokens') {
      thought += event.thought
      text += event.text
      tokens.push(...event.tokens)
      logprobs.push(...event.logprobs)
    }
    if (event.type !== 'done') continue
    if (event.finishReason === 'abort') {
      throw new BrasaError('aborted', {
        message: 'The answer was stopped. Use stream: true to keep what there is of a stopped answer.',
      })
    }
    return { thought, text, tokens, logprobs, done: event }
  }
  throw new BrasaError('internal', { message: 'The answer ended without saying why.' })
}

/** Such as `chatcmpl-1f0c…`. */
export function createResponseId(prefix: string): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12))
  return prefix + Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** OpenAI counts seconds. */
export const nowInSeconds = () => Math.floor(Date.now() / 1000)
