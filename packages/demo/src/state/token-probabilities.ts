import type { ChatLogprobs } from '@brasa/runtime'
import type { TokenProbability } from './answer-parts.ts'

/** Four digits say as much as a person reads, and are short where thousands are stored. */
const rounded = (logprob: number) => Math.round(Math.exp(logprob) * 10_000) / 10_000

/** Takes what the runtime tells of tokens as they come, in the form that is kept. */
export function gatherProbabilities() {
  const decoder = new TextDecoder()
  const tokens: TokenProbability[] = []
  return {
    tokens: tokens as readonly TokenProbability[],
    add({ content }: ChatLogprobs) {
      for (const { bytes, logprob, top_logprobs } of content) {
        // A character may be spread over tokens: it is shown with the last of them.
        const text = decoder.decode(Uint8Array.from(bytes), { stream: true })
        const likeliest = top_logprobs.flatMap((other) => [other.token, rounded(other.logprob)])
        tokens.push([text, rounded(logprob), ...likeliest])
      }
    },
  }
}
