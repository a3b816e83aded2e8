import type { AnswerEvent, EngineClient } from '../client/engine-client.ts'
import type { ToolCallDelta } from '../protocol.ts'
import { type ParsedRequest, parseChatRequest } from './chat-request.ts'
import { type BytesOf, chatLogprobs, createBytesOf } from './logprobs.ts'
import {
  checkLoadedModel,
  collectAnswers,
  createResponseId,
  createTokenStream,
  nowInSeconds,
  type StartOptions,
  startAnswer,
} from './token-stream.ts'
import type { ChatCompletion, ChatCompletionChunk, ChatCompletionRequest, ChatCompletions } from './types.ts'

type Choice = ChatCompletionChunk['choices'][number]
type Common = Pick<ChatCompletionChunk, 'id' | 'created' | 'model'>

/** OpenAI's chat completions over one engine. */
export function createChatCompletions(client: EngineClient): ChatCompletions {
  const bytesOf = createBytesOf(client)

  async function create(request: ChatCompletionRequest & { stream?: boolean }, options?: StartOptions) {
    const parsed = parseChatRequest(request)
    checkLoadedModel(client, parsed.model)
    const answer = await startAnswer(client, parsed.generate, options)
    const common = {
      id: createResponseId('chatcmpl-'),
      created: nowInSeconds(),
      model: client.loaded.model.id,
    }
    if (parsed.stream) return createTokenStream(answer, chunksOf(answer.events, common, parsed, bytesOf))

    const answers = await collectAnswers(answer.events)
    const { usage, timings } = answers.reduce((most, { done }) => lastOf(most, done), answers[0].done)
    const choices = answers.map(async ({ thought, text, logprobs, toolCalls, done }, index) => ({
      index,
      message: {
        role: 'assistant' as const,
        content: text === '' && toolCalls.length > 0 ? null : text,
        refusal: null,
        ...reasoning(thought),
        ...(toolCalls.length > 0 && { tool_calls: toolCalls }),
      },
      finish_reason: done.finishReason,
      logprobs: await chatLogprobs(logprobs, parsed.topLogprobs, bytesOf),
    }))
    const completion: ChatCompletion = {
      ...common,
      object: 'chat.completion',
      choices: await Promise.all(choices),
      usage,
      timings,
    }
    return completion
  }
  // One implementation of both overloads.
  return { create: create as ChatCompletions['create'] }
}

type Done = Extract<AnswerEvent, { type: 'done' }>

/** The one that knows of all answers. */
const lastOf = (one: Done, other: Done) =>
  other.usage.completion_tokens > one.usage.completion_tokens ? other : one

async function* chunksOf(
  events: AsyncGenerator<AnswerEvent, void, undefined>,
  common: Common,
  { generate, usage: told, topLogprobs }: ParsedRequest,
  bytesOf: BytesOf,
): AsyncGenerator<ChatCompletionChunk, void, undefined> {
  const { numAnswers = 1 } = generate.settings
  const begun = new Set<number>()
  let numDone = 0
  const chunk = (choices: Choice[]): ChatCompletionChunk => ({
    ...common,
    object: 'chat.completion.chunk',
    choices,
    ...(told === 'own chunk' && { usage: null }),
  })
  for await (const event of events) {
    if (event.type === 'accepted') continue
    const { answer: index = 0 } = event
    const role = begun.has(index) ? {} : ({ role: 'assistant' } as const)
    if (event.type === 'done') {
      const { usage, timings, finishReason: finish_reason } = event
      numDone++
      const isLast = numDone === numAnswers
      const last = chunk([{ index, delta: role, finish_reason, logprobs: null }])
      yield isLast && told === 'last chunk' ? { ...last, usage, timings } : last
      if (isLast && told === 'own chunk') yield { ...chunk([]), usage, timings }
      continue
    }
    const { thought, text, toolCalls = [] } = event
    const logprobs = await chatLogprobs(event.logprobs, topLogprobs, bytesOf)
    const isEmpty = thought === '' && text === '' && toolCalls.length === 0 && logprobs === null
    if (isEmpty && begun.has(index)) continue
    const isOther = text === '' && (thought !== '' || toolCalls.length > 0)
    const delta = {
      ...role,
      ...reasoning(thought),
      ...(isOther ? {} : { content: text }),
      ...(toolCalls.length > 0 && { tool_calls: toolCalls.map(callDelta) }),
    }
    begun.add(index)
    yield chunk([{ index, delta, finish_reason: null, logprobs }])
  }
}

function callDelta({ index, id, name, arguments: more }: ToolCallDelta) {
  const own = { ...(name !== undefined && { name }), ...(more !== undefined && { arguments: more }) }
  return { index, ...(id !== undefined && { id, type: 'function' as const }), function: own }
}

/** Under the name that vLLM and DeepSeek give it, and only where there is some. */
const reasoning = (thought: string) => (thought === '' ? {} : { reasoning_content: thought })
