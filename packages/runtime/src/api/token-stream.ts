import type { AnswerEvent, EngineClient } from '../client/engine-client.ts'
import { BrasaError, throwIfAborted } from '../errors.ts'
import type { GenerateRequest, ToolCall } from '../protocol.ts'
import type { RequestOptions, TokenStream } from './types.ts'

/** What has come to its first event: an answer whose prompt is valid and fits. */
export interface Started<Event> {
  /** To be iterated once. */
  readonly events: AsyncGenerator<Event, void, undefined>
  abort(): void
  /** Lets go of what nobody reads to its end. */
  end(): Promise<void>
}

export interface StartOptions extends RequestOptions {
  /** Called once the engine has accepted what is asked for: from then on it is answered, unless the engine is lost. */
  readonly onAccepted?: () => void
}

/** @throws BrasaError `aborted` if the signal already is; what the engine says of the prompt */
export function startAnswer(
  client: EngineClient,
  request: GenerateRequest,
  options?: StartOptions,
): Promise<Started<AnswerEvent>> {
  return started((signal) => client.generate(request, signal), options)
}

/** Runs to its first event, so that what is wrong from the beginning is thrown and not streamed. */
export async function started<Event>(
  run: (signal: AbortSignal) => AsyncGenerator<Event, void, undefined>,
  { signal, onAccepted }: StartOptions = {},
): Promise<Started<Event>> {
  throwIfAborted(signal)
  const controller = new AbortController()
  const abort = () => controller.abort()
  signal?.addEventListener('abort', abort, { once: true })
  const events = run(controller.signal)
  const release = () => signal?.removeEventListener('abort', abort)
  try {
    const first = await events.next()
    onAccepted?.()
    const end = async () => {
      release()
      await events.return()
    }
    return { events: resumed(events, first, end), abort, end }
  } catch (error) {
    release()
    throw error
  }
}

async function* resumed<Event>(
  events: AsyncGenerator<Event, void, undefined>,
  first: IteratorResult<Event, void>,
  end: () => Promise<void>,
): AsyncGenerator<Event, void, undefined> {
  try {
    if (!first.done) yield first.value
    yield* events
  } finally {
    await end()
  }
}

/** What an answer's events come to, chunk by chunk. */
export function createTokenStream<Chunk>(
  { abort, end }: Started<unknown>,
  chunks: AsyncGenerator<Chunk, void, undefined>,
): TokenStream<Chunk> {
  let iterated = false
  return {
    abort,
    [Symbol.asyncIterator]() {
      if (iterated) {
        throw new BrasaError('invalid_request', {
          message: 'A stream can be iterated once. Keep its chunks, or ask again.',
        })
      }
      iterated = true
      return {
        next: () => chunks.next(),
        // Chunks that nobody began to read have nothing to end.
        async return() {
          await chunks.return()
          await end()
          return { done: true, value: undefined }
        },
      }
    },
  }
}

/** A whole answer. */
export interface CollectedAnswer {
  readonly thought: string
  readonly text: string
  readonly tokens: readonly number[]
  readonly logprobs: Extract<AnswerEvent, { type: 'tokens' }>['logprobs']
  readonly toolCalls: readonly ToolCall[]
  readonly done: Extract<AnswerEvent, { type: 'done' }>
}

/**
 * Waits for the end of all answers to one prompt.
 * @throws BrasaError `aborted` where the caller stopped them: half an answer is not what was asked for
 */
export async function collectAnswers(
  events: AsyncIterable<AnswerEvent>,
): Promise<readonly [CollectedAnswer, ...CollectedAnswer[]]> {
  const answers: ReturnType<typeof createCollector>[] = []
  for await (const event of events) {
    if (event.type === 'accepted') continue
    const { answer = 0 } = event
    answers[answer] ??= createCollector()
    answers[answer].add(event)
  }
  const [first, ...others] = answers.map((answer) => answer.collected())
  if (first === undefined)
    throw new BrasaError('internal', { message: 'The answer ended without saying why.' })
  return [first, ...others]
}

function createCollector() {
  let thought = ''
  let text = ''
  const tokens: number[] = []
  const logprobs: CollectedAnswer['logprobs'][number][] = []
  const calls: { id: string; name: string; arguments: string }[] = []
  let done: CollectedAnswer['done'] | undefined
  return {
    add(event: Extract<AnswerEvent, { type: 'tokens' | 'done' }>) {
      if (event.type === 'done') {
        done = event
        return
      }
      thought += event.thought
      text += event.text
      tokens.push(...event.tokens)
      logprobs.push(...event.logprobs)
      for (const { index, id, name, arguments: more = '' } of event.toolCalls ?? []) {
        const call = calls[index] ?? { id: '', name: '', arguments: '' }
        calls[index] = { id: id ?? call.id, name: name ?? call.name, arguments: call.arguments + more }
      }
    },
    collected(): CollectedAnswer {
      if (done === undefined) {
        throw new BrasaError('internal', { message: 'The answer ended without saying why.' })
      }
      if (done.finishReason === 'abort') throw stoppedError()
      const toolCalls = calls.map(({ id, ...own }) => ({ id, type: 'function' as const, function: own }))
      return { thought, text, tokens, logprobs, toolCalls, done }
    },
  }
}

export const stoppedError = () =>
  new BrasaError('aborted', {
    message: 'The answer was stopped. Use stream: true to keep what there is of a stopped answer.',
  })

/** Such as `chatcmpl-1f0c…`. */
export function createResponseId(prefix: string): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12))
  return prefix + Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** OpenAI counts seconds. */
export const nowInSeconds = () => Math.floor(Date.now() / 1000)

/** @throws BrasaError `unknown_model` for another than the one that is loaded */
export function checkLoadedModel(client: EngineClient, model: string | undefined): void {
  const { id } = client.loaded.model
  if (model === undefined || model === id) return
  throw new BrasaError('unknown_model', {
    message: `There is no model "${model.slice(0, 80)}" here; "${id}" is loaded. Name that, or leave "model" out.`,
    details: { parameter: 'model' },
  })
}
