import type { Executor, TokenLogprob } from '../backends/executor.ts'
import { BrasaError, isBrasaError } from '../errors.ts'
import type { EngineEvent, FinishReason, GenerationSettings, Timings, TokenLogprobs } from '../protocol.ts'
import type { Conversation } from './conversation.ts'
import { createStepPipeline, type StepPipeline } from './step-pipeline.ts'
import { createStopFilter } from './stop-strings.ts'
import type { Spoken, ThoughtSplitter } from './thoughts.ts'

/** Turns sampled tokens into text. */
export interface AnswerText {
  readonly eosTokenIds: ReadonlySet<number>
  /** Text of one token, for people. */
  tokenText(token: number): string
  /** Text of an answer as its tokens come, whole characters only. */
  createDecoder(): { push(token: number): string; end(): string }
  /** Keeps thought and answer apart; stop strings are looked for in the answer. */
  createThoughtSplitter(): ThoughtSplitter
}

export interface Generation {
  readonly executor: Executor
  readonly conversation: Conversation
  readonly text: AnswerText
  /** At least one token, at most the context's length: see `checkPrompt`. */
  readonly prompt: Uint32Array
  readonly settings: GenerationSettings
  /** The answer's tokens so far, where another worker began it. */
  readonly answered?: readonly number[]
  /** Steps in flight, at most four. */
  readonly lookahead: number
  readonly signal: AbortSignal
  /** When the request came, on the clock of `performance.now()`. */
  readonly arrivedAtMs: number
  readonly emit: (event: EngineEvent) => void
}

/** @throws BrasaError `invalid_request` for an empty prompt, `context_length_exceeded` for one that does not fit */
export function checkPrompt(prompt: Uint32Array, executor: Executor): void {
  const { contextLength } = executor
  if (prompt.length === 0) {
    throw new BrasaError('invalid_request', {
      message: 'The prompt is empty. Give it at least one character.',
    })
  }
  if (prompt.length > contextLength) {
    const most = executor.spec.contextLength
    const larger = contextLength < most ? `load the model with a larger contextLength (${most} at most)` : ''
    throw new BrasaError('context_length_exceeded', {
      message: `The prompt has ${prompt.length} tokens; the context holds ${contextLength}. Shorten it, or ${larger || 'choose a model that holds more'}.`,
      details: { numTokens: prompt.length, contextLength },
    })
  }
}

/**
 * Answers one prompt: `tokens` events, then `done`. An answer that another worker began goes on as it would have there:
 * the same positions, the same seed, the same penalties. Resolves when the executor is at rest and the conversation's journal is
 * what its sequence holds.
 * @throws BrasaError what the executor throws, such as `device_lost`; the conversation is then of no more use
 */
export async function generate(generation: Generation): Promise<void> {
  const { executor, conversation, prompt, settings, answered = [], emit } = generation
  const clock = createClock(generation.arrivedAtMs)
  const known = Uint32Array.from([...prompt, ...answered])
  const cachedTokens = conversation.keepCommonPrefix(known)
  const answer = [...answered]

  const done = (finishReason: FinishReason) =>
    emit({
      type: 'done',
      finishReason,
      usage: {
        prompt_tokens: prompt.length,
        completion_tokens: answer.length,
        total_tokens: prompt.length + answer.length,
        prompt_tokens_details: { cached_tokens: Math.min(cachedTokens, prompt.length) },
      },
      timings: clock.timings(known.length - cachedTokens, answer.length - answered.length),
    })

  executor.configureSampling(conversation.sequence, settings.sampling, {
    promptTokens: prompt,
    answerTokens: Uint32Array.from(answered),
  })
  if (!(await appended(generation, known.subarray(cachedTokens, known.length - 1)))) {
    conversation.settle(known, conversation.sequence.length)
    done('abort')
    return
  }

  const pipeline = createStepPipeline({
    executor,
    sequence: conversation.sequence,
    firstToken: known[known.length - 1]!,
    // The last token sampled is never added: a full sequence still has a successor.
    maxSteps: Math.min(
      (settings.maxTokens ?? Number.POSITIVE_INFINITY) - answered.length,
      executor.contextLength - known.length + 1,
    ),
    lookahead: generation.lookahead,
    topLogprobs: settings.topLogprobs,
  })
  try {
    done(await readAnswer(generation, pipeline, answer, clock.tokenRead))
  } finally {
    await pipeline.drain()
  }
  const tokens = [...prompt, ...answer]
  conversation.settle(tokens, Math.min(conversation.sequence.length, tokens.length))
}

/** Adds what is new but the last token. False when aborted: the sequence then holds a part. */
async function appended({ executor, conversation, signal }: Generation, rest: Uint32Array): Promise<boolean> {
  try {
    if (rest.length > 0 && !signal.aborted) await executor.append(conversation.sequence, rest, { signal })
  } catch (error) {
    if (!(signal.aborted && isBrasaError(error) && error.code === 'aborted')) throw error
  }
  return !signal.aborted
}

/** Reads sampled tokens into `answer` and emits their text until something ends the answer. */
async function readAnswer(
  { text, settings, answered = [], signal, emit }: Generation,
  pipeline: StepPipeline,
  answer: number[],
  tokenRead: () => void,
): Promise<FinishReason> {
  const decoder = text.createDecoder()
  const splitter = text.createThoughtSplitter()
  const stopFilter = createStopFilter(settings.stop)
  const aborted = abortOf(signal)
  /** What of the model's words may be shown. */
  const said = ({ thought, text }: Spoken) => ({ thought, ...stopFilter.push(text) })
  // Their text is out already, but characters, tags and stop strings may span the seam.
  for (const token of answered) said(splitter.push(decoder.push(token)))

  const readToken = async (): Promise<FinishReason | 'stop string' | undefined> => {
    const result = await Promise.race([pipeline.next(), aborted])
    if (result === 'abort') return 'abort'
    if (!result) return 'length'
    const { token, topLogprobs } = result
    tokenRead()
    answer.push(token)
    const isEos = !settings.ignoreEos && text.eosTokenIds.has(token)
    const shown = said(isEos ? nothing : splitter.push(decoder.push(token)))
    const logprobs = settings.topLogprobs > 0 ? [tokenLogprobs(token, topLogprobs, text)] : []
    emit({ type: 'tokens', thought: shown.thought, text: shown.text, tokens: [token], logprobs })
    if (shown.stopped) return 'stop string'
    return isEos ? 'stop' : undefined
  }

  let end: FinishReason | 'stop string' | undefined
  while (!end) end = await readToken()
  if (end === 'stop string') return 'stop'

  for (const spoken of [splitter.push(decoder.end()), splitter.end()]) {
    const last = said(spoken)
    if (last.thought !== '' || last.text !== '') {
      emit({ type: 'tokens', thought: last.thought, text: last.text, tokens: [], logprobs: [] })
    }
    if (last.stopped) return end
  }
  const rest = stopFilter.end()
  if (rest !== '') emit({ type: 'tokens', thought: '', text: rest, tokens: [], logprobs: [] })
  return end
}

const nothing: Spoken = { thought: '', text: '' }

function abortOf(signal: AbortSignal): Promise<'abort'> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve('abort')
    signal.addEventListener('abort', () => resolve('abort'), { once: true })
  })
}

/** What OpenAI reports for a token that is not among the likely ones. */
const unlistedLogprob = -9999

function tokenLogprobs(token: number, top: readonly TokenLogprob[], text: AnswerText): TokenLogprobs {
  const entry = (tokenId: number, logprob: number) => ({ tokenId, token: text.tokenText(tokenId), logprob })
  const listed = top.find((candidate) => candidate.token === token)
  return {
    ...entry(token, listed?.logprob ?? unlistedLogprob),
    top_logprobs: top.map((candidate) => entry(candidate.token, candidate.logprob)),
  }
}

function createClock(arrivedAtMs: number) {
  const prefillStart = performance.now()
  let firstToken = Number.NaN
  let lastToken = Number.NaN
  const perSecond = (count: number, ms: number) => (count > 0 && ms > 0 ? (1000 * count) / ms : 0)
  return {
    tokenRead() {
      lastToken = performance.now()
      if (Number.isNaN(firstToken)) firstToken = lastToken
    },
    /** Zeros where nothing was measured. */
    timings: (prefillTokens: number, answerTokens: number): Timings => ({
      ttftMs: Number.isNaN(firstToken) ? 0 : firstToken - arrivedAtMs,
      prefillTokensPerSecond: perSecond(prefillTokens, firstToken - prefillStart),
      decodeTokensPerSecond: perSecond(answerTokens - 1, lastToken - firstToken),
    }),
  }
}
