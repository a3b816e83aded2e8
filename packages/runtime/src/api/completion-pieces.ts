import type { EngineClient } from '../client/engine-client.ts'
import type { Timings, TokensEvent, Usage } from '../protocol.ts'
import type { ParsedCompletionRequest, Prompt } from './completion-request.ts'
import type { CompletionChunk } from './completion-types.ts'
import { type BytesOf, chatLogprobs, createLegacyLogprobs, scoredToken } from './logprobs.ts'
import { promptOf, promptText, promptTokens, scorePrompt } from './prompt-echo.ts'

/** What comes next of a choice: the texts of one index follow one another. */
export type CompletionPiece = CompletionChunk['choices'][number]

/** Of all prompts, as far as they are answered. */
export interface CompletionTotals {
  usage: Usage
  timings: Timings
}

export const noTotals = (): CompletionTotals => ({
  usage: {
    prompt_tokens: 0,
    completion_tokens: 0,
    total_tokens: 0,
    prompt_tokens_details: { cached_tokens: 0 },
  },
  timings: { ttftMs: 0, prefillTokensPerSecond: 0, decodeTokensPerSecond: 0 },
})

/**
 * Answers prompts one after another; undefined where the engine has accepted one.
 * @param totals counts on as prompts end
 */
export async function* completionPieces(
  client: EngineClient,
  request: ParsedCompletionRequest,
  bytesOf: BytesOf,
  totals: CompletionTotals,
  signal: AbortSignal,
): AsyncGenerator<CompletionPiece | undefined, void, undefined> {
  const { numAnswers = 1 } = request.settings
  for (const [index, prompt] of request.prompts.entries()) {
    const indices = Array.from({ length: numAnswers }, (_, answer) => index * numAnswers + answer)
    const legacy = indices.map(() => createLegacyLogprobs(bytesOf))
    if (request.echo) {
      const { text, tokens, scored } = await echoOf(client, request, prompt, bytesOf, signal)
      const finish_reason = request.answers ? null : 'length'
      for (const [answer, choice] of indices.entries()) {
        const logprobs = scored === undefined ? null : await legacy[answer]!.add(scored)
        yield { index: choice, text, tokens, finish_reason, logprobs }
      }
      if (!request.answers) totals.usage = sum(totals.usage, promptUsage(tokens.length))
    }
    if (!request.answers) continue
    const logprobsOf = ({ answer = 0, logprobs }: TokensEvent) => {
      const { topLogprobs: numTop, logprobsShape } = request
      if (numTop === undefined || logprobs.length === 0) return null
      if (logprobsShape === 'chat') return chatLogprobs(logprobs, numTop, bytesOf)
      return legacy[answer]!.add(logprobs.map((entry) => scoredToken(entry, numTop)))
    }
    const input = { prompt: await promptOf(client, prompt, bytesOf) }
    let usage = noTotals().usage
    for await (const event of client.generate({ input, settings: request.settings }, signal)) {
      if (event.type === 'accepted') {
        yield undefined
        continue
      }
      const choice = indices[event.answer ?? 0]!
      if (event.type === 'tokens') {
        const { text, tokens } = event
        yield { index: choice, text, tokens, finish_reason: null, logprobs: await logprobsOf(event) }
        continue
      }
      usage = event.usage
      totals.timings = event.timings
      yield { index: choice, text: '', tokens: [], finish_reason: event.finishReason, logprobs: null }
    }
    totals.usage = sum(totals.usage, usage)
  }
}

async function echoOf(
  client: EngineClient,
  { topLogprobs }: ParsedCompletionRequest,
  prompt: Prompt,
  bytesOf: BytesOf,
  signal: AbortSignal,
) {
  const tokens = await promptTokens(client, prompt)
  const scored =
    topLogprobs === undefined ? undefined : await scorePrompt(client, tokens, topLogprobs, signal)
  return { text: await promptText(prompt, bytesOf), tokens: Array.from(tokens), scored }
}

const promptUsage = (count: number): Usage => ({
  ...noTotals().usage,
  prompt_tokens: count,
  total_tokens: count,
})

const sum = (one: Usage, other: Usage): Usage => ({
  prompt_tokens: one.prompt_tokens + other.prompt_tokens,
  completion_tokens: one.completion_tokens + other.completion_tokens,
  total_tokens: one.total_tokens + other.total_tokens,
  prompt_tokens_details: {
    cached_tokens: one.prompt_tokens_details.cached_tokens + other.prompt_tokens_details.cached_tokens,
  },
})
