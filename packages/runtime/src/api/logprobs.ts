import type { EngineClient } from '../client/engine-client.ts'
import type { TokenLogprobs } from '../protocol.ts'
import type { ChatLogprobs, LegacyLogprobs } from './completion-types.ts'

/** What tokens stand for, asked of the worker once each. */
export type BytesOf = (tokens: Iterable<number>) => Promise<(token: number) => Uint8Array>

export function createBytesOf(client: EngineClient): BytesOf {
  const known = new Map<number, Uint8Array>()
  return async (tokens) => {
    const missing = Uint32Array.from(new Set(tokens)).filter((token) => !known.has(token))
    if (missing.length > 0) {
      const bytes = await client.tokenBytes(missing)
      for (const [index, token] of missing.entries()) known.set(token, bytes[index]!)
    }
    return (token) => known.get(token)!
  }
}

/** One token of an answer, or of a prompt; the first of a prompt follows nothing and has no log-probability. */
export interface ScoredToken {
  readonly tokenId: number
  readonly logprob: number | null
  readonly top: readonly { readonly tokenId: number; readonly logprob: number }[]
}

/** @param numTop of the likely tokens that the engine told, how many were asked for */
export const scoredToken = (
  { tokenId, logprob, top_logprobs }: TokenLogprobs,
  numTop: number,
): ScoredToken => ({
  tokenId,
  logprob,
  top: top_logprobs.slice(0, numTop),
})

const idsOf = (tokens: readonly ScoredToken[]) =>
  tokens.flatMap(({ tokenId, top }) => [tokenId, ...top.map((entry) => entry.tokenId)])

/** As OpenAI's chat completions have them, with ids; null where there are none. */
export async function chatLogprobs(
  logprobs: readonly TokenLogprobs[],
  numTop: number | undefined,
  bytesOf: BytesOf,
): Promise<ChatLogprobs | null> {
  if (numTop === undefined || logprobs.length === 0) return null
  const tokens = logprobs.map((entry) => scoredToken(entry, numTop))
  const bytes = await bytesOf(idsOf(tokens))
  const entry = (tokenId: number, logprob: number) => ({
    token: new TextDecoder().decode(bytes(tokenId)),
    logprob,
    bytes: Array.from(bytes(tokenId)),
    tokenId,
  })
  const content = tokens.map(({ tokenId, logprob, top }) => ({
    ...entry(tokenId, logprob!),
    top_logprobs: top.map((likely) => entry(likely.tokenId, likely.logprob)),
  }))
  return { content }
}

/** As OpenAI's text completions have them; `add` goes on where the last call ended. */
export function createLegacyLogprobs(bytesOf: BytesOf) {
  const decoder = new TextDecoder()
  let offset = 0
  return {
    async add(tokens: readonly ScoredToken[]): Promise<LegacyLogprobs> {
      const bytes = await bytesOf(idsOf(tokens))
      const text_offset = tokens.map(({ tokenId }) => {
        const start = offset
        offset += decoder.decode(bytes(tokenId), { stream: true }).length
        return start
      })
      return {
        tokens: tokens.map(({ tokenId }) => tokenName(bytes(tokenId))),
        token_logprobs: tokens.map(({ logprob }) => logprob),
        top_logprobs: tokens.map(({ logprob, top }) =>
          logprob === null
            ? null
            : Object.fromEntries(top.map((likely) => [tokenName(bytes(likely.tokenId)), likely.logprob])),
        ),
        text_offset,
      }
    },
  }
}

/** A part of a character has no text: as OpenAI writes it, `bytes:\xe2\x82`. */
function tokenName(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return `bytes:${Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}`
  }
}
