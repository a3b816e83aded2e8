import type { AnswerEvent, EngineClient } from '../../client/engine-client.ts'
import type { OnnxClient } from '../../client/onnx-client.ts'
import { BrasaError } from '../../errors.ts'
import type { GenerateRequest } from '../../protocol.ts'
import { engineOf } from '../engine.ts'

export interface FakeAnswer {
  /** The events of one answer, but for `accepted` and `done`. */
  readonly said?: readonly Partial<Extract<AnswerEvent, { type: 'tokens' }>>[]
  readonly finishReason?: Extract<AnswerEvent, { type: 'done' }>['finishReason']
  /** Thrown instead of an answer, or after so many events of it. */
  readonly error?: { readonly error: BrasaError; readonly after?: number }
}

/** An engine whose answers are given, for tests of what is around them. One token is one UTF-16 unit. */
export function createFakeEngine(
  answer: FakeAnswer | ((request: GenerateRequest) => FakeAnswer) = {},
  changes: Partial<EngineClient> = {},
) {
  const requests: GenerateRequest[] = []
  const state = { numRunning: 0, numPulled: 0, numStopped: 0 }
  const encode = (text: string) => Uint32Array.from(text, (character) => character.charCodeAt(0))
  const client: EngineClient = {
    loaded: {
      model: {
        id: 'fake',
        name: 'Fake',
        architecture: 'none',
        quantisation: 'F32',
        contextLength: 100,
        sizeBytes: 1,
      },
      device: { backend: 'reference', adapter: 'none', reason: 'A test.', features: [] },
    },
    async *generate(request, signal) {
      requests.push(request)
      const {
        said = [
          { text: 'Hel', tokens: [1] },
          { text: 'lo', tokens: [2] },
        ],
        finishReason = 'stop',
        error,
      } = typeof answer === 'function' ? answer(request) : answer
      const { numAnswers = 1, topLogprobs } = request.settings
      if (error && error.after === undefined) throw error.error
      state.numRunning++
      let ended = false
      try {
        yield { type: 'accepted' }
        for (const [index, words] of said.entries()) {
          if (index === error?.after) throw error.error
          for (let number = 0; number < numAnswers; number++) {
            // A turn of the loop, as a worker's message takes.
            await new Promise((resolve) => setTimeout(resolve))
            if (signal.aborted) {
              yield doneEvent(0, 'abort', number)
              return
            }
            state.numPulled++
            const logprobs = (words.tokens ?? []).map((tokenId) => ({
              tokenId,
              token: '?',
              logprob: -0.5,
              top_logprobs: Array.from({ length: topLogprobs }, (_, rank) => ({
                tokenId: tokenId + rank,
                token: '?',
                logprob: -0.5 - rank,
              })),
            }))
            const told = topLogprobs > 0 ? logprobs : []
            yield {
              type: 'tokens',
              answer: number,
              thought: '',
              text: '',
              tokens: [],
              logprobs: told,
              ...words,
            }
          }
        }
        for (let number = 0; number < numAnswers; number++) {
          yield doneEvent(said.length * (number + 1), finishReason, number)
        }
        ended = true
      } finally {
        state.numRunning--
        if (!ended) state.numStopped++
      }
    },
    async tokenize(text) {
      if (typeof text === 'string') return encode(text)
      const { input, addsGenerationPrompt = true, addsBos = false } = text
      const begin = addsBos ? '^' : ''
      if ('prompt' in input) return encode(begin + input.prompt)
      const { messages, tools = [], continuesAssistant = false } = input
      const turns = messages.map(({ role, content }) => `${role[0]}${content}`).join('|')
      const offered = tools.map(({ function: { name } }) => `{${name}}`).join('')
      return encode(begin + offered + turns + (addsGenerationPrompt && !continuesAssistant ? '>' : ''))
    },
    tokenBytes: async (tokens) =>
      Array.from(tokens, (token) => {
        if (token < 65_536) return new TextEncoder().encode(String.fromCharCode(token))
        throw new BrasaError('invalid_request', { message: `There is no token ${token}.` })
      }),
    score: async ({ input, topLogprobs }, _, onProgress) => {
      const tokens = 'text' in input ? encode(input.text) : input.tokens
      const scores = Array.from(tokens.subarray(1), (tokenId) => ({
        tokenId,
        logprob: -tokenId / 100,
        logprobs: [],
        topLogprobs: Array.from({ length: topLogprobs }, (_, rank) => ({
          tokenId: 97 + rank,
          logprob: -rank,
        })),
      }))
      onProgress?.(scores.length)
      return { tokens, scores }
    },
    memory: async () => ({ weightBytes: 10, kvCacheBytes: 20, otherBytes: 30 }),
    counters: () => Promise.reject(new Error('not counted')),
    dispose: async () => {},
    ...changes,
  }
  const place = { catalogueUrl: 'https://example.org/models.json', baseUrl: 'https://example.org/' }
  return { engine: engineOf(client, onnx, place), requests, state }
}

const notHere = () => Promise.reject(new BrasaError('unknown_model', { message: 'There is none.' }))

/** Embeds a text as its length. */
const onnx: OnnxClient = {
  openSession: notHere,
  classify: notHere,
  embed: async ({ model, input }) => {
    const texts = typeof input === 'string' ? [input] : input
    const numTokens = texts.join('').length
    return {
      object: 'list',
      model: String(model),
      data: texts.map(({ length }, index) => ({
        object: 'embedding',
        index,
        embedding: Float32Array.of(length),
      })),
      usage: { prompt_tokens: numTokens, total_tokens: numTokens },
    }
  },
  dispose: async () => {},
}

function doneEvent(
  completion_tokens: number,
  finishReason: Extract<AnswerEvent, { type: 'done' }>['finishReason'],
  answer: number,
): AnswerEvent {
  return {
    type: 'done',
    answer,
    finishReason,
    usage: {
      prompt_tokens: 3,
      completion_tokens,
      total_tokens: 3 + completion_tokens,
      prompt_tokens_details: { cached_tokens: 1 },
    },
    timings: { ttftMs: 100, prefillTokensPerSecond: 2, decodeTokensPerSecond: 20 },
  }
}
