import type { TokenLogprob } from './executor.ts'

/** The `count` most likely tokens of one row of logits with their natural-log probabilities, most likely first. */
export function topLogprobs(logits: Float32Array | Float64Array, count: number): TokenLogprob[] {
  let largest = Number.NEGATIVE_INFINITY
  for (const logit of logits) if (logit > largest) largest = logit
  let sum = 0
  for (const logit of logits) sum += Math.exp(logit - largest)
  const logSum = largest + Math.log(sum)
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
