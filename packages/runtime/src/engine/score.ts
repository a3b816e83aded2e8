import type { Executor } from '../backends/executor.ts'
import { BrasaError } from '../errors.ts'
import type { ScoreRequest, TokenScore } from '../protocol.ts'
import type { SequenceTask } from './scheduler.ts'

export interface Scoring extends Omit<ScoreRequest, 'input'> {
  /** Two at least, at most one more than the context holds: see `checkScoring`. */
  readonly tokens: Uint32Array
  readonly signal: AbortSignal
  readonly emit: (scores: readonly TokenScore[]) => void
}

/** @throws BrasaError `invalid_request`, `context_length_exceeded` */
export function checkScoring({ tokens, logprobsOf }: Scoring, executor: Executor): void {
  const { contextLength } = executor
  const { vocabSize } = executor.spec
  if (tokens.length < 2) {
    throw new BrasaError('invalid_request', {
      message: `A text of ${tokens.length} tokens has none that follows another. Give one of two at least.`,
    })
  }
  // The last token is only looked for, never added.
  if (tokens.length - 1 > contextLength) {
    throw new BrasaError('context_length_exceeded', {
      message: `The text has ${tokens.length} tokens; at most ${contextLength + 1} can be scored at once. Cut it into windows.`,
      details: { numTokens: tokens.length, contextLength },
    })
  }
  if (logprobsOf !== undefined && logprobsOf.length !== tokens.length - 1) {
    throw new BrasaError('invalid_request', {
      message: `"logprobsOf" has ${logprobsOf.length} lists; a text of ${tokens.length} tokens has ${tokens.length - 1} positions to score.`,
      details: { parameter: 'logprobsOf' },
    })
  }
  const isUnknown = (token: number) => token >= vocabSize
  const unknown = tokens.find(isUnknown) ?? logprobsOf?.flat().find(isUnknown)
  if (unknown !== undefined) {
    throw new BrasaError('invalid_request', {
      message: `Token ${unknown} is not among the model's ${vocabSize}.`,
    })
  }
}

/**
 * Teacher forcing: each token is added as it is in the text, and its successor looked up in the distribution that follows.
 * In a sequence of its own, so that what conversations hold stays held.
 */
export function createScoreTask({ tokens, logprobsOf, topLogprobs, signal, emit }: Scoring): SequenceTask {
  let numScored = 0
  return {
    tokens: [tokens[0]!],
    maxSteps: tokens.length - 1,
    sharesPrefix: false,
    feed: 'given',
    signal,
    begin() {},
    row: (position) => ({
      token: tokens[position]!,
      topLogprobs,
      logprobsOf: [tokens[position + 1]!, ...(logprobsOf?.[position] ?? [])],
    }),
    take(result) {
      const [logprob, ...logprobs] = result.logprobs
      const top = result.topLogprobs.map(({ token, logprob }) => ({ tokenId: token, logprob }))
      emit([{ tokenId: tokens[++numScored]!, logprob: logprob!, logprobs, topLogprobs: top }])
      return false
    },
    end() {},
  }
}
