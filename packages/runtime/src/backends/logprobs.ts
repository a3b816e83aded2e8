import { BrasaError } from '../errors.ts'
import type { StepResult, StepRow, TokenLogprob } from './executor.ts'

type Logits = Float32Array | Float64Array

/** Whether a row's logits have to be read for what it asks. */
export const wantsLogits = ({ topLogprobs = 0, logprobsOf = [] }: StepRow): boolean =>
  topLogprobs > 0 || logprobsOf.length > 0

/**
 * What a row asked to be told of its logits.
 * @param logits (vocabSize); may be left out where the row asks for nothing
 * @throws BrasaError `internal` for a token that the vocabulary does not have
 */
export function reportLogprobs(
  logits: Logits | undefined,
  row: StepRow,
): Pick<StepResult, 'topLogprobs' | 'logprobs'> {
  if (logits === undefined || !wantsLogits(row)) return { topLogprobs: [], logprobs: [] }
  const logSum = logSumExp(logits)
  return {
    topLogprobs: row.topLogprobs ? topLogprobs(logits, logSum, row.topLogprobs) : [],
    logprobs: (row.logprobsOf ?? []).map((token) => {
      const logit = logits[token]
      if (logit !== undefined) return logit - logSum
      throw new BrasaError('internal', {
        message: `Token ${token} is not among the model's ${logits.length}.`,
      })
    }),
  }
}

function logSumExp(logits: Logits): number {
  let largest = Number.NEGATIVE_INFINITY
  for (const logit of logits) if (logit > largest) largest = logit
  let sum = 0
  for (const logit of logits) sum += Math.exp(logit - largest)
  return largest + Math.log(sum)
}

/** The `count` most likely tokens, most likely first. */
function topLogprobs(logits: Logits, logSum: number, count: number): TokenLogprob[] {
  const top: TokenLogprob[] = []
  for (let token = 0; token < logits.length; token++) {
    const logprob = logits[token]! - logSum
    if (top.length === count && logprob <= top[count - 1]!.logprob) continue
    const place = top.findIndex((other) => logprob > other.logprob)
    top.splice(place === -1 ? top.length : place, 0, { token, logprob })
    if (top.length > count) top.pop()
  }
  return top
}
