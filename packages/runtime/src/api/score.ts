import type { EngineClient } from '../client/engine-client.ts'
import { BrasaError, throwIfAborted } from '../errors.ts'
import type { Score, ScoreOptions, ScoreRequest } from './types.ts'

const maxTopLogprobs = 100

/** Teacher-forced log-probabilities of a text over one engine. */
export function createScore(client: EngineClient) {
  return async (request: ScoreRequest, { signal, onProgress }: ScoreOptions = {}): Promise<Score> => {
    if (typeof request !== 'object' || request === null) throw invalid('score takes { text } or { tokens }.')
    const { text, tokens, logprobsOf, topLogprobs = 0 } = request
    if ((text === undefined) === (tokens === undefined)) {
      throw invalid('Give either "text" or "tokens" to score.')
    }
    if (text !== undefined && typeof text !== 'string') throw invalid('"text" must be a string.')
    if (tokens !== undefined && !isTokens(tokens)) {
      throw invalid('"tokens" must be a list of token ids, which are whole numbers from 0 up.')
    }
    if (logprobsOf !== undefined && !(Array.isArray(logprobsOf) && logprobsOf.every(isTokens))) {
      throw invalid('"logprobsOf" must be a list of token ids for each position but the last.')
    }
    if (!(Number.isInteger(topLogprobs) && topLogprobs >= 0 && topLogprobs <= maxTopLogprobs)) {
      throw invalid(`"topLogprobs" must be a whole number from 0 (none) to ${maxTopLogprobs}.`)
    }
    throwIfAborted(signal)
    const input = text === undefined ? { tokens: Uint32Array.from(tokens!) } : { text }
    const lists = logprobsOf?.map((list) => [...list])
    return client.score(
      { input, topLogprobs, ...(lists && { logprobsOf: lists }) },
      signal ?? new AbortController().signal,
      onProgress,
    )
  }
}

function isTokens(value: unknown): value is readonly number[] | Uint32Array {
  if (value instanceof Uint32Array) return true
  return Array.isArray(value) && value.every((id) => Number.isInteger(id) && id >= 0 && id < 2 ** 32)
}

const invalid = (message: string) => new BrasaError('invalid_request', { message })
