import type { AnswerEvent, EngineClient } from '../client/engine-client.ts'
import type { TokensEvent } from '../protocol.ts'
import { type ParsedResponseRequest, parseResponseRequest } from './response-request.ts'
import type {
  ResponseCall,
  ResponseEvent,
  ResponseObject,
  ResponseOutputItem,
  ResponseRequest,
  ResponsesApi,
  ResponseText,
} from './response-types.ts'
import {
  checkLoadedModel,
  createResponseId,
  createTokenStream,
  nowInSeconds,
  type StartOptions,
  startAnswer,
  stoppedError,
} from './token-stream.ts'

/** OpenAI's responses over one engine: a whole one is what its stream ends with. */
export function createResponses(client: EngineClient): ResponsesApi {
  async function create(request: ResponseRequest & { stream?: boolean }, options?: StartOptions) {
    const parsed = parseResponseRequest(request)
    checkLoadedModel(client, parsed.model)
    const answer = await startAnswer(client, parsed.generate, options)
    const events = eventsOf(answer.events, begunResponse(client, parsed))
    if (parsed.stream) return createTokenStream(answer, events)
    for await (const { type, response } of events) {
      if (type === 'response.completed' || type === 'response.incomplete') return response as ResponseObject
    }
    throw stoppedError()
  }
  // One implementation of both overloads.
  return { create: create as ResponsesApi['create'] }
}

function begunResponse(client: EngineClient, { echoed }: ParsedResponseRequest): ResponseObject {
  return {
    id: createResponseId('resp_'),
    object: 'response',
    created_at: nowInSeconds(),
    status: 'in_progress',
    model: client.loaded.model.id,
    output: [],
    error: null,
    incomplete_details: null,
    ...echoed,
    store: false,
    usage: null,
  }
}

type Unnumbered = Omit<ResponseEvent, 'sequence_number'>

/** Ends after `response.completed` or `response.incomplete`; without either where the answer was stopped. */
async function* eventsOf(
  events: AsyncIterable<AnswerEvent>,
  begun: ResponseObject,
): AsyncGenerator<ResponseEvent, void, undefined> {
  let sequence_number = 0
  const numbered = (event: Unnumbered) => ({ ...event, sequence_number: sequence_number++ }) as ResponseEvent
  yield numbered({ type: 'response.created', response: begun })
  yield numbered({ type: 'response.in_progress', response: begun })
  const output = createOutput()
  for await (const event of events) {
    if (event.type === 'accepted') continue
    if (event.type === 'tokens') {
      for (const one of output.add(event)) yield numbered(one)
      continue
    }
    if (event.finishReason === 'abort') return
    const status = event.finishReason === 'length' ? 'incomplete' : 'completed'
    for (const one of output.end(status)) yield numbered(one)
    const { prompt_tokens, completion_tokens, total_tokens, prompt_tokens_details } = event.usage
    const response: ResponseObject = {
      ...begun,
      status,
      output: output.items,
      incomplete_details: status === 'incomplete' ? { reason: 'max_output_tokens' } : null,
      usage: {
        input_tokens: prompt_tokens,
        input_tokens_details: prompt_tokens_details,
        output_tokens: completion_tokens,
        output_tokens_details: { reasoning_tokens: output.thoughtTokens() },
        total_tokens,
      },
    }
    yield numbered({ type: `response.${status}`, response })
  }
}

/** The items of a response as they grow: a thought, a message, calls. One is open at a time, and it is the last. */
function createOutput() {
  const items: ResponseOutputItem[] = []
  let open: 'reasoning' | 'message' | number | undefined
  let thoughtTokens = 0
  const place = () => ({ output_index: items.length - 1, item_id: items.at(-1)!.id })

  function* begin(kind: typeof open, item: ResponseOutputItem): Generator<Unnumbered> {
    yield* close('completed')
    open = kind
    items.push(item)
    yield { type: 'response.output_item.added', output_index: items.length - 1, item }
  }

  function* close(status: 'completed' | 'incomplete'): Generator<Unnumbered> {
    const item = items.at(-1)
    if (open === undefined || item === undefined) return
    open = undefined
    if (item.type === 'message') {
      const [part] = item.content
      yield {
        type: 'response.output_text.done',
        ...place(),
        content_index: 0,
        text: part!.text,
        logprobs: [],
      }
      yield { type: 'response.content_part.done', ...place(), content_index: 0, part }
    }
    if (item.type === 'function_call') {
      const { arguments: json, name } = item
      yield { type: 'response.function_call_arguments.done', ...place(), name, arguments: json }
    }
    if (item.type === 'reasoning') {
      const [part] = item.content
      yield { type: 'response.reasoning_text.done', ...place(), content_index: 0, text: part!.text }
      yield { type: 'response.content_part.done', ...place(), content_index: 0, part }
    }
    items[items.length - 1] = item.type === 'reasoning' ? item : { ...item, status }
    yield { type: 'response.output_item.done', output_index: items.length - 1, item: items.at(-1) }
  }

  function* addThought(delta: string): Generator<Unnumbered> {
    if (open !== 'reasoning') {
      yield* begin('reasoning', { type: 'reasoning', id: createResponseId('rs_'), summary: [], content: [] })
      const part = { type: 'reasoning_text', text: '' }
      yield { type: 'response.content_part.added', ...place(), content_index: 0, part }
    }
    const item = items.at(-1)!
    if (item.type !== 'reasoning') return
    const text = (item.content[0]?.text ?? '') + delta
    items[items.length - 1] = { ...item, content: [{ type: 'reasoning_text', text }] }
    yield { type: 'response.reasoning_text.delta', ...place(), content_index: 0, delta }
  }

  function* addText(delta: string): Generator<Unnumbered> {
    if (open !== 'message') {
      const id = createResponseId('msg_')
      yield* begin('message', { type: 'message', id, role: 'assistant', status: 'in_progress', content: [] })
      const part = outputText('')
      yield { type: 'response.content_part.added', ...place(), content_index: 0, part }
    }
    const item = items.at(-1)!
    if (item.type !== 'message') return
    items[items.length - 1] = { ...item, content: [outputText((item.content[0]?.text ?? '') + delta)] }
    yield { type: 'response.output_text.delta', ...place(), content_index: 0, delta, logprobs: [] }
  }

  function* addCall(delta: NonNullable<TokensEvent['toolCalls']>[number]): Generator<Unnumbered> {
    const { index, id = '', name = '', arguments: more = '' } = delta
    if (open !== index) {
      const begun: ResponseCall = {
        type: 'function_call',
        id: createResponseId('fc_'),
        call_id: id,
        name,
        arguments: '',
        status: 'in_progress',
      }
      yield* begin(index, begun)
    }
    const item = items.at(-1)!
    if (item.type !== 'function_call' || more === '') return
    items[items.length - 1] = { ...item, arguments: item.arguments + more }
    yield { type: 'response.function_call_arguments.delta', ...place(), delta: more }
  }

  return {
    items: items as readonly ResponseOutputItem[],
    thoughtTokens: () => thoughtTokens,
    *add({ thought, text, toolCalls = [], tokens }: TokensEvent): Generator<Unnumbered> {
      if (thought !== '') {
        thoughtTokens += tokens.length
        yield* addThought(thought)
      }
      if (text !== '') yield* addText(text)
      for (const call of toolCalls) yield* addCall(call)
    },
    *end(status: 'completed' | 'incomplete'): Generator<Unnumbered> {
      // An answer without a word is one nevertheless.
      if (items.length === 0) yield* addText('')
      yield* close(status)
    },
  }
}

const outputText = (text: string): ResponseText => ({ type: 'output_text', text, annotations: [] })
