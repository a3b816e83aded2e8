import type { Executor, Sequence, StepResult } from '../backends/executor.ts'

export interface StepPipeline {
  /** Steps given to the executor so far, read or not. */
  readonly numIssued: number
  /** The next sampled token, in order; undefined after `maxSteps`. */
  next(): Promise<StepResult | undefined>
  /** Gives the executor no more steps and waits for those in flight. */
  drain(): Promise<void>
}

export interface StepPipelineOptions {
  readonly executor: Executor
  readonly sequence: Sequence
  /** The prompt's last token, which the first step adds. */
  readonly firstToken: number
  readonly maxSteps: number
  /** Steps in flight at once; the executor allows four. */
  readonly lookahead: number
  readonly topLogprobs: number
}

/**
 * Decoding that stays `lookahead` steps ahead of the tokens read, each step fed on the backend with the token that the
 * one before it sampled. The first step goes alone: those behind it would only delay its token.
 */
export function createStepPipeline(options: StepPipelineOptions): StepPipeline {
  const { executor, sequence, firstToken, maxSteps, lookahead, topLogprobs } = options
  const inFlight: Promise<StepResult>[] = []
  let numIssued = 0
  let numRead = 0

  const issue = () => {
    const token = numIssued === 0 ? firstToken : undefined
    const result = takeStep(executor, { sequence, token, topLogprobs })
    // Steps behind one that failed fail too; the reader hears of the first.
    result.catch(() => {})
    inFlight.push(result)
    numIssued++
  }

  return {
    get numIssued() {
      return numIssued
    },
    async next() {
      const wanted = Math.min(numRead === 0 ? 1 : lookahead, maxSteps - numRead)
      while (inFlight.length < wanted) issue()
      const oldest = inFlight[0]
      if (!oldest) return undefined
      const result = await oldest
      inFlight.shift()
      numRead++
      return result
    },
    async drain() {
      await Promise.allSettled(inFlight)
    },
  }
}

async function takeStep(
  executor: Executor,
  row: Parameters<Executor['step']>[0][number],
): Promise<StepResult> {
  const [result] = await executor.step([row])
  return result!
}
