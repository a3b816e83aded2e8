import type { EngineClient } from '../client/engine-client.ts'
import { BrasaError } from '../errors.ts'
import type { Prompt } from './completion-request.ts'
import type { BytesOf, ScoredToken } from './logprobs.ts'

/** A prompt's text. Special tokens have their names, as where text is parsed. */
export async function promptText(prompt: Prompt, bytesOf: BytesOf): Promise<string> {
  if (typeof prompt === 'string') return prompt
  const bytes = await bytesOf(prompt)
  const decoder = new TextDecoder()
  return prompt.map((token) => decoder.decode(bytes(token), { stream: true })).join('') + decoder.decode()
}

/**
 * The text that has these tokens, for the model to answer.
 * @throws BrasaError `invalid_request` where no text has them
 */
export async function promptOf(client: EngineClient, prompt: Prompt, bytesOf: BytesOf): Promise<string> {
  if (typeof prompt === 'string') return prompt
  const text = await promptText(prompt, bytesOf)
  const tokens = await client.tokenize(text)
  if (tokens.length === prompt.length && tokens.every((token, index) => token === prompt[index])) return text
  throw new BrasaError('invalid_request', {
    message:
      '"prompt" has tokens that no text is encoded as, and the model answers texts only. Give its text; "echo" with "max_tokens": 0 scores any tokens.',
    details: { parameter: 'prompt' },
  })
}

/** Every token of a prompt with how likely it was there. @throws BrasaError as `EngineClient.score` does */
export async function scorePrompt(
  client: EngineClient,
  tokens: Uint32Array,
  topLogprobs: number,
  signal: AbortSignal,
): Promise<readonly ScoredToken[]> {
  const first = { tokenId: tokens[0]!, logprob: null, top: [] }
  if (tokens.length === 1) return [first]
  const { scores } = await client.score({ input: { tokens }, topLogprobs }, signal)
  return [first, ...scores.map(({ tokenId, logprob, topLogprobs: top }) => ({ tokenId, logprob, top }))]
}

/** @throws BrasaError `invalid_request` where there are none */
export async function promptTokens(client: EngineClient, prompt: Prompt): Promise<Uint32Array> {
  const tokens = typeof prompt === 'string' ? await client.tokenize(prompt) : Uint32Array.from(prompt)
  if (tokens.length > 0) return tokens
  throw new BrasaError('invalid_request', {
    message: 'The prompt is empty. Give it at least one character.',
    details: { parameter: 'prompt' },
  })
}
