import type { AnswerEvent, EngineClient } from '../client/engine-client.ts'
import type { TokensEvent } from '../protocol.ts'
import { parseGenerationParameters } from '../sampling/parameters.ts'
import { parseMessages, parseRequest } from './messages.ts'
import {
  collectAnswer,
  createResponseId,
  createTokenStream,
  nowInSeconds,
  startAnswer,
} from './token-stream.ts'
import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionRequest,
  ChatCompletions,
  RequestOptions,
} from './types.ts'

type Choice = ChatCompletionChunk['choices'][number]

/** OpenAI's chat completions over one engine. */
export function createChatCompletions(client: EngineClient): ChatCompletions {
  async function create(request: ChatCompletionRequest & { stream?: boolean }, options?: RequestOptions) {
    const { messages, stream, ...parameters } = parseRequest(request)
    const input = { messages: parseMessages(messages) }
    const settings = parseGenerationParameters(parameters)
    const answer = await startAnswer(client, { input, settings }, options)
    const common = {
      id: createResponseId('chatcmpl-'),
      created: nowInSeconds(),
      model: client.loaded.model.id,
    }
    if (stream) return createTokenStream(answer, chunkMapper(common))

    const { thought, text, logprobs, done } = await collectAnswer(answer)
    const message = { role: 'assistant' as const, content: text, ...reasoning(thought) }
    const finish_reason = done.finishReason
    const completion: ChatCompletion = {
      ...common,
      object: 'chat.completion',
      choices: [{ index: 0, message, finish_reason, logprobs: logprobsOf(logprobs) }],
      usage: done.usage,
      timings: done.timings,
    }
    return completion
  }
  // One implementation of both overloads.
  return { create: create as ChatCompletions['create'] }
}

function chunkMapper(common: Pick<ChatCompletionChunk, 'id' | 'created' | 'model'>) {
  let role: { role?: 'assistant' } = { role: 'assistant' }
  const chunk = (choice: Omit<Choice, 'index'>): ChatCompletionChunk => ({
    ...common,
    object: 'chat.completion.chunk',
    choices: [{ index: 0, ...choice }],
  })
  return (event: AnswerEvent): ChatCompletionChunk | undefined => {
    if (event.type === 'accepted') return undefined
    if (event.type === 'done') {
      const { usage, timings, finishReason } = event
      return { ...chunk({ delta: {}, finish_reason: finishReason, logprobs: null }), usage, timings }
    }
    const { thought, text } = event
    if (thought === '' && text === '' && event.logprobs.length === 0 && !role.role) return undefined
    const content = text === '' && thought !== '' ? {} : { content: text }
    const delta = { ...role, ...reasoning(thought), ...content }
    role = {}
    return chunk({ delta, finish_reason: null, logprobs: logprobsOf(event.logprobs) })
  }
}

/** Under the name that vLLM and DeepSeek give it, and only where there is some. */
const reasoning = (thought: string) => (thought === '' ? {} : { reasoning_content: thought })

const logprobsOf = (content: TokensEvent['logprobs']) => (content.length > 0 ? { content } : null)
