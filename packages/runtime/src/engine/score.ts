import type { Executor, StepResult } from '../backends/executor.ts'
import { BrasaError } from '../errors.ts'
import type { ScoreRequest, TokenScore } from '../protocol.ts'

export interface Scoring extends Omit<ScoreRequest, 'input'> {
  readonly executor: Executor
  /** Two at least, at most one more than the context holds: see `checkScoring`. */
  readonly tokens: Uint32Array
  /** Steps in flight, at most four. */
  readonly lookahead: number
  readonly signal: AbortSignal
  readonly emit: (scores: readonly TokenScore[]) => void
}

/** @throws BrasaError `invalid_request`, `context_length_exceeded` */
export function checkScoring({ executor, tokens, logprobsOf }: Scoring): void {
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
 * In a sequence of its own, so that what conversations hold stays held. Resolves when the executor is at rest.
 * @returns whether it came to the end; not where the signal fired
 * @throws BrasaError what the executor throws
 */
export async function score(scoring: Scoring): Promise<boolean> {
  const { executor, tokens, logprobsOf = [], topLogprobs, lookahead, signal, emit } = scoring
  const sequence = executor.createSequence()
  const inFlight: Promise<readonly StepResult[]>[] = []
  const numScores = tokens.length - 1
  let numIssued = 0
  try {
    for (let position = 0; position < numScores && !signal.aborted; position++) {
      for (; numIssued < Math.min(numScores, position + lookahead); numIssued++) {
        const successors = [tokens[numIssued + 1]!, ...(logprobsOf[numIssued] ?? [])]
        const row = { sequence, token: tokens[numIssued]!, topLogprobs, logprobsOf: successors }
        const step = executor.step([row])
        // Steps behind one that failed fail too; the first is read first.
        step.catch(() => {})
        inFlight.push(step)
      }
      const [result] = (await inFlight.shift())!
      const [logprob, ...logprobs] = result!.logprobs
      const top = result!.topLogprobs.map(({ token, logprob }) => ({ tokenId: token, logprob }))
      emit([{ tokenId: tokens[position + 1]!, logprob: logprob!, logprobs, topLogprobs: top }])
    }
    return !signal.aborted
  } finally {
    await Promise.allSettled(inFlight)
    executor.free(sequence)
  }
}
