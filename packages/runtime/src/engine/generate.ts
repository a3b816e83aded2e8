import type { AllowedTokens, Executor, TokenLogprob } from '../backends/executor.ts'
import { BrasaError } from '../errors.ts'
import type {
  EngineEvent,
  FinishReason,
  GenerationSettings,
  Timings,
  TokenLogprobs,
  ToolCallDelta,
} from '../protocol.ts'
import type { SequenceTask } from './scheduler.ts'
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
  /** Of an answer that may call tools. */
  createToolCallParser?(): ToolCallParser
}

/** What keeps an answer to a format. */
export interface Constraint {
  /** What may be sampled next: see `StepRow.allowedTokens`. */
  allowed(): AllowedTokens | Promise<AllowedTokens>
  /** Takes a sampled token that does not end the answer. */
  accept(token: number): void
  free(): void
}

/** Takes the calls of tools out of an answer's text. */
export interface ToolCallParser {
  push(text: string): ToolCallPiece
  /** What was held back. */
  end(): ToolCallPiece
  /** So far. */
  readonly numCalls: number
}

export interface ToolCallPiece {
  readonly content: string
  readonly toolCalls: readonly ToolCallDelta[]
}

export interface Answering {
  readonly text: AnswerText
  /** At least one token, at most the context's length: see `checkPrompt`. */
  readonly prompt: Uint32Array
  readonly settings: GenerationSettings
  /** Among several to the same prompt. */
  readonly index: number
  /** The answer's tokens so far, where another worker began it. */
  readonly answered: readonly number[]
  /** Of this answer and those beside it. */
  readonly usage: UsageCount
  readonly contextLength: number
  /** Has taken `answered` already. */
  readonly constraint?: Constraint | undefined
  readonly signal: AbortSignal
  /** When the request came, on the clock of `performance.now()`. */
  readonly arrivedAtMs: number
  readonly emit: (event: EngineEvent) => void
}

/** What a request has used, as far as its answers have come. */
export interface UsageCount {
  cachedTokens: number
  completionTokens: number
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
 * One answer to a prompt: `tokens` events, then `done`. What another worker began goes on as it would have there: the same
 * positions, the same seed, the same penalties.
 */
export function createAnswerTask(answering: Answering): SequenceTask {
  const { text, prompt, settings, index, answered, usage, contextLength, constraint, signal, emit } =
    answering
  const { maxTokens = Number.POSITIVE_INFINITY, numAnswers = 1, sampling, topLogprobs } = settings
  const tokens = [...prompt, ...answered]
  const answer = numAnswers === 1 ? {} : { answer: index }
  const decoder = text.createDecoder()
  const splitter = text.createThoughtSplitter()
  const stopFilter = createStopFilter(settings.stop)
  const calls = text.createToolCallParser?.()
  let clock = createClock(answering.arrivedAtMs)
  let numCached = 0
  let numTokens = 0

  /** What of the model's words may be shown. */
  const said = ({ thought, text }: Spoken) => ({ thought, ...stopFilter.push(text) })
  const shown = (thought: string, { content, toolCalls }: ToolCallPiece) => ({
    type: 'tokens' as const,
    ...answer,
    thought,
    text: content,
    ...(toolCalls.length > 0 && { toolCalls }),
  })
  const pieceOf = (text: string) => calls?.push(text) ?? { content: text, toolCalls: [] }
  const emitRest = (thought: string, piece: ToolCallPiece) => {
    if (thought === '' && piece.content === '' && piece.toolCalls.length === 0) return
    emit({ ...shown(thought, piece), tokens: [], logprobs: [] })
  }
  const done = (finishReason: FinishReason) =>
    emit({
      type: 'done',
      ...answer,
      finishReason,
      usage: {
        prompt_tokens: prompt.length,
        completion_tokens: usage.completionTokens,
        total_tokens: prompt.length + usage.completionTokens,
        prompt_tokens_details: { cached_tokens: Math.min(usage.cachedTokens, prompt.length) },
      },
      timings: clock.timings(tokens.length - numCached, numTokens),
    })

  /** Shows what was held back, as far as no stop string stands in it. */
  function tellHeldBack(): void {
    for (const spoken of [splitter.push(decoder.end()), splitter.end()]) {
      const last = said(spoken)
      emitRest(last.thought, pieceOf(last.text))
      if (last.stopped) return
    }
    emitRest('', pieceOf(stopFilter.end()))
  }

  function end(reason: FinishReason, isStopString = false): void {
    if (!isStopString) tellHeldBack()
    if (calls) emitRest('', calls.end())
    done(reason === 'stop' && calls && calls.numCalls > 0 ? 'tool_calls' : reason)
  }

  // Their text is out already, but characters, tags and stop strings may span the seam.
  for (const token of answered) pieceOf(said(splitter.push(decoder.push(token))).text)
  usage.completionTokens += answered.length

  return {
    tokens,
    // The last token sampled is never added: a full sequence still has a successor.
    maxSteps: Math.min(maxTokens - answered.length, contextLength - tokens.length + 1),
    sharesPrefix: true,
    feed: constraint ? 'seen' : 'sampled',
    signal,
    begin(executor, sequence, cachedTokens) {
      clock = createClock(answering.arrivedAtMs)
      numCached = cachedTokens
      // Those beside it begin with its prompt.
      if (index === 0) usage.cachedTokens = cachedTokens
      executor.configureSampling(
        sequence,
        { ...sampling, seed: (sampling.seed + index) >>> 0 },
        { promptTokens: prompt, answerTokens: Uint32Array.from(answered) },
      )
    },
    row: () => ({ topLogprobs, ...(constraint && { allowedTokens: () => constraint.allowed() }) }),
    take({ token, topLogprobs: top }) {
      clock.tokenRead()
      numTokens++
      usage.completionTokens++
      const isEos = (constraint !== undefined || !settings.ignoreEos) && text.eosTokenIds.has(token)
      const { thought, text: visible, stopped } = said(isEos ? nothing : splitter.push(decoder.push(token)))
      const logprobs = topLogprobs > 0 ? [tokenLogprobs(token, top, text)] : []
      emit({ ...shown(thought, pieceOf(visible)), tokens: [token], logprobs })
      if (stopped || isEos) end('stop', stopped)
      else constraint?.accept(token)
      return stopped || isEos
    },
    end: (reason) => end(reason),
  }
}

const nothing: Spoken = { thought: '', text: '' }

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
