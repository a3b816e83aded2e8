import type { Executor } from '../backends/executor.ts'
import { createScheduler } from './scheduler.ts'
import { createScoreTask } from './score.ts'

/** Log-probabilities of all tokens but the first, as a request for scores gets them: several steps in flight, through the scheduler. */
export async function scoreTokens(executor: Executor, tokens: Uint32Array): Promise<readonly number[]> {
  const scores: number[] = []
  const { signal } = new AbortController()
  const task = createScoreTask({
    ...{ tokens, signal, topLogprobs: 0 },
    emit: (scored) => scores.push(...scored.map(({ logprob }) => logprob)),
  })
  await createScheduler({ executor, lookahead: 4 }).run(task)
  return scores
}
