import type { AnswerEvent, EngineClient } from '../client/engine-client.ts'
import type { TokensEvent } from '../protocol.ts'
import { parseGenerationParameters } from '../sampling/parameters.ts'
import { parsePrompt, parseRequest } from './messages.ts'
import {
  collectAnswer,
  createResponseId,
  createTokenStream,
  nowInSeconds,
  startAnswer,
} from './token-stream.ts'
import type { Completion, CompletionChunk, CompletionRequest, Completions, RequestOptions } from './types.ts'

/** OpenAI's text completions over one engine. */
export function createCompletions(client: EngineClient): Completions {
  async function create(request: CompletionRequest & { stream?: boolean }, options?: RequestOptions) {
    const { prompt, stream, ...parameters } = parseRequest(request)
    const input = { prompt: parsePrompt(prompt) }
    const settings = parseGenerationParameters(parameters)
    const answer = await startAnswer(client, { input, settings }, options)
    const common = {
      id: createResponseId('cmpl-'),
      object: 'text_completion' as const,
      created: nowInSeconds(),
      model: client.loaded.model.id,
    }
    if (stream) return createTokenStream(answer, (event) => chunkOf(common, event))

    const { text, tokens, logprobs, done } = await collectAnswer(answer)
    const finish_reason = done.finishReason
    const completion: Completion = {
      ...common,
      choices: [{ index: 0, text, tokens, finish_reason, logprobs: logprobsOf(logprobs) }],
      usage: done.usage,
      timings: done.timings,
    }
    return completion
  }
  // One implementation of both overloads.
  return { create: create as Completions['create'] }
}

function chunkOf(
  common: Pick<CompletionChunk, 'id' | 'object' | 'created' | 'model'>,
  event: AnswerEvent,
): CompletionChunk | undefined {
  if (event.type === 'accepted') return undefined
  if (event.type === 'done') {
    const choice = { index: 0, text: '', tokens: [], finish_reason: event.finishReason, logprobs: null }
    return { ...common, choices: [choice], usage: event.usage, timings: event.timings }
  }
  const { text, tokens, logprobs } = event
  return {
    ...common,
    choices: [{ index: 0, text, tokens, finish_reason: null, logprobs: logprobsOf(logprobs) }],
  }
}

const logprobsOf = (content: TokensEvent['logprobs']) => (content.length > 0 ? { content } : null)
