// What 8-bit activations cost: how far an executor is from the float64 distributions of model-cases.ts.

import type { Executor } from '../executor.ts'
import type { ModelCase } from '../model-cases.ts'

export interface Distances {
  /** Mean over steps of KL(float64 || executor) in nats, over the tokens that the fixture has and the rest as one. */
  readonly meanDivergence: number
  /** Share of steps whose most likely token is float64's. */
  readonly topOneAgreement: number
  readonly numSteps: number
}

/** Teacher-forced over the greedy continuation of every case. */
export async function distances(executor: Executor, cases: readonly ModelCase[]): Promise<Distances> {
  let divergence = 0
  let numAgreed = 0
  let numSteps = 0
  for (const { tokens, greedy, topLogprobs } of cases) {
    const sequence = executor.createSequence()
    await executor.append(sequence, Uint32Array.from(tokens.slice(0, -1)))
    let token = tokens.at(-1)!
    for (const [step, expected] of greedy.entries()) {
      const [result] = await executor.step([{ sequence, token, topLogprobs: 1000 }])
      const found = new Map(result!.topLogprobs.map(({ token, logprob }) => [token, logprob]))
      let rest = 1
      let foundRest = 1
      for (const [candidate, logprob] of topLogprobs[step]!) {
        const own = found.get(candidate!) ?? Number.NEGATIVE_INFINITY
        divergence += Math.exp(logprob!) * (logprob! - own)
        rest -= Math.exp(logprob!)
        foundRest -= Math.exp(own)
      }
      if (rest > 1e-9) divergence += rest * Math.log(rest / Math.max(foundRest, 1e-12))
      numAgreed += result!.topLogprobs[0]!.token === expected ? 1 : 0
      numSteps += 1
      token = expected
    }
    executor.free(sequence)
  }
  return { meanDivergence: divergence / numSteps, topOneAgreement: numAgreed / numSteps, numSteps }
}
