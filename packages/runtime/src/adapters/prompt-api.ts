import type { ChatMessage, Engine, ModelInfo } from '../api/types.ts'
import { BrasaError, isBrasaError, throwIfAborted } from '../errors.ts'

/**
 * The engine in the shape of the browsers' Prompt API (https://webmachinelearning.github.io/prompt-api/): what is written for
 * `LanguageModel` runs on it. Text only; a model that is loaded is `available`.
 */
export interface LanguageModelFactory {
  availability(): Promise<'available'>
  params(): Promise<LanguageModelParams>
  /** @throws BrasaError `context_length_exceeded` if the initial prompts do not fit, `aborted` */
  create(options?: LanguageModelOptions): Promise<LanguageModel>
}

export interface LanguageModelParams {
  readonly defaultTemperature: number
  readonly maxTemperature: number
  readonly defaultTopK: number
  readonly maxTopK: number
}

export interface LanguageModelOptions {
  readonly initialPrompts?: readonly LanguageModelMessage[]
  readonly temperature?: number
  readonly topK?: number
  readonly signal?: AbortSignal
  /** Told of the download's progress: the model is there already, so that it hears 0 and 1. */
  readonly monitor?: (target: EventTarget) => void
}

export interface LanguageModelMessage {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string | readonly { readonly type: 'text'; readonly value: string }[]
  /** Of the last message, an assistant's: the answer goes on from it. */
  readonly prefix?: boolean
}

export type LanguageModelPrompt = string | readonly LanguageModelMessage[]

export interface PromptOptions {
  readonly signal?: AbortSignal
  /** A JSON schema, or a pattern that the whole answer matches, without flags that change what it matches. */
  readonly responseConstraint?: Readonly<Record<string, unknown>> | RegExp
}

export interface LanguageModel extends EventTarget {
  readonly temperature: number
  readonly topK: number
  /** Tokens that the session holds at most. */
  readonly contextWindow: number
  /** Tokens that it holds now. */
  readonly contextUsage: number
  /** Answers, and keeps both in the session. Calls wait for one another. */
  prompt(input: LanguageModelPrompt, options?: PromptOptions): Promise<string>
  /** The same, piece by piece; what is stopped is not kept. */
  promptStreaming(input: LanguageModelPrompt, options?: PromptOptions): ReadableStream<string>
  /**
   * Adds messages without an answer.
   * @throws BrasaError `context_length_exceeded`, `aborted`
   */
  append(input: LanguageModelPrompt, options?: { readonly signal?: AbortSignal }): Promise<void>
  /** Tokens that a prompt would add. */
  measureContextUsage(input: LanguageModelPrompt): Promise<number>
  /** A session with the same messages, which goes its own way. */
  clone(options?: { readonly signal?: AbortSignal }): Promise<LanguageModel>
  destroy(): void
}

const params: LanguageModelParams = {
  defaultTemperature: 1,
  maxTemperature: 2,
  defaultTopK: 40,
  maxTopK: 128,
}

type MeasuredEngine = Pick<Engine, 'tokenize'> & { readonly model: Pick<ModelInfo, 'contextLength'> }

export function createLanguageModel(engine: MeasuredEngine & Pick<Engine, 'chat'>): LanguageModelFactory {
  return {
    availability: async () => 'available',
    params: async () => params,
    async create({ initialPrompts = [], temperature, topK, signal, monitor } = {}) {
      throwIfAborted(signal)
      const target = new EventTarget()
      monitor?.(target)
      for (const loaded of [0, 1]) target.dispatchEvent(progressEvent(loaded))
      const settings = {
        temperature: temperature ?? params.defaultTemperature,
        topK: topK ?? params.defaultTopK,
      }
      const messages = toMessages(initialPrompts)
      const contextUsage = await fitting(engine, messages)
      throwIfAborted(signal)
      return createSession(engine, settings, messages, contextUsage)
    },
  }
}

function progressEvent(loaded: number): Event {
  return Object.assign(new Event('downloadprogress'), { loaded, total: 1, lengthComputable: true })
}

function createSession(
  engine: Parameters<typeof createLanguageModel>[0],
  settings: { readonly temperature: number; readonly topK: number },
  initial: readonly ChatMessage[],
  initialUsage: number,
): LanguageModel {
  let messages = initial
  let contextUsage = initialUsage
  let isDestroyed = false
  const destroyed = new AbortController()
  let lastTurn: Promise<unknown> = Promise.resolve()

  /** The session's messages are one conversation: turns come after one another. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = lastTurn.then(() => {
      if (isDestroyed)
        throw new BrasaError('disposed', { message: 'This session was destroyed. Create another one.' })
      return work()
    })
    lastTurn = turn.catch(() => {})
    return turn
  }

  async function answer(
    input: LanguageModelPrompt,
    { signal, responseConstraint }: PromptOptions,
    tell: (text: string) => void,
  ): Promise<string> {
    const added = toMessages(input)
    const stopped = AbortSignal.any([destroyed.signal, ...(signal ? [signal] : [])])
    const stream = await engine.chat.completions.create(
      {
        messages: [...messages, ...added],
        stream: true,
        stream_options: { include_usage: true },
        temperature: settings.temperature,
        top_k: settings.topK,
        ...(continuesLast(input) && { continue_final_message: true }),
        ...constraintOf(responseConstraint),
      },
      { signal: stopped },
    )
    let text = ''
    for await (const { choices, usage } of stream) {
      const piece = choices[0]?.delta.content ?? ''
      text += piece
      if (piece !== '') tell(piece)
      if (usage) contextUsage = usage.total_tokens
    }
    throwIfAborted(stopped)
    const before = continuesLast(input) ? added.slice(0, -1) : added
    const prefix = continuesLast(input) ? textOf(added.at(-1)) : ''
    messages = [...messages, ...before, { role: 'assistant', content: prefix + text }]
    return text
  }

  const session: Omit<LanguageModel, keyof EventTarget> = {
    ...settings,
    contextWindow: engine.model.contextLength,
    get contextUsage() {
      return contextUsage
    },
    prompt: (input, options = {}) => inTurn(() => answer(input, options, () => {})),
    promptStreaming(input, options = {}) {
      const stop = new AbortController()
      const signal = AbortSignal.any([stop.signal, ...(options.signal ? [options.signal] : [])])
      return new ReadableStream<string>({
        async start(controller) {
          try {
            await inTurn(() => answer(input, { ...options, signal }, (text) => controller.enqueue(text)))
            controller.close()
          } catch (error) {
            // Cancelled, it is closed already.
            if (!stop.signal.aborted) controller.error(error)
          }
        },
        cancel: () => stop.abort(),
      })
    },
    append: (input, { signal } = {}) =>
      inTurn(async () => {
        throwIfAborted(signal)
        const longer = [...messages, ...toMessages(input)]
        const usage = await fitting(engine, longer)
        throwIfAborted(signal)
        contextUsage = usage
        messages = longer
      }),
    async measureContextUsage(input) {
      const before = messages
      const longer = [...before, ...toMessages(input)]
      return Math.max(0, (await measure(engine, longer)) - (await measure(engine, before)))
    },
    clone: ({ signal } = {}) =>
      inTurn(async () => {
        throwIfAborted(signal)
        return createSession(engine, settings, messages, contextUsage)
      }),
    destroy() {
      isDestroyed = true
      destroyed.abort()
    },
  }
  return Object.defineProperties(
    new EventTarget(),
    Object.getOwnPropertyDescriptors(session),
  ) as LanguageModel
}

/** Tokens that a conversation takes. @throws BrasaError `context_length_exceeded` where no answer has room after them */
async function fitting(engine: MeasuredEngine, messages: readonly ChatMessage[]): Promise<number> {
  const numTokens = await measure(engine, messages)
  const { contextLength } = engine.model
  if (numTokens <= contextLength) return numTokens
  throw new BrasaError('context_length_exceeded', {
    message: `The prompts have ${numTokens} tokens; the session holds ${contextLength}. Shorten them, or load the model with a larger contextLength.`,
    details: { numTokens, contextLength },
  })
}

/** As the model reads them; without what is around the texts where its template renders no such conversation. */
async function measure(engine: MeasuredEngine, messages: readonly ChatMessage[]): Promise<number> {
  if (messages.length === 0) return 0
  try {
    return (await engine.tokenize(messages)).length
  } catch (error) {
    if (!(isBrasaError(error) && error.code === 'template_failed')) throw error
    const counts = await Promise.all(
      messages.map(async (message) => (await engine.tokenize(textOf(message))).length),
    )
    return counts.reduce((sum, count) => sum + count, 0)
  }
}

const textOf = (message: ChatMessage | undefined) =>
  typeof message?.content === 'string' ? message.content : ''

const continuesLast = (input: LanguageModelPrompt) =>
  typeof input !== 'string' && input.at(-1)?.prefix === true

function toMessages(input: LanguageModelPrompt): ChatMessage[] {
  const messages = typeof input === 'string' ? [{ role: 'user' as const, content: input }] : input
  return messages.map(({ role, content }) => {
    const parts = typeof content === 'string' ? [{ type: 'text', value: content }] : content
    const other = parts.find(({ type }) => type !== 'text')
    if (other) {
      throw new BrasaError('invalid_request', {
        message: `This model takes text, and no "${other.type}". Leave it out.`,
        details: { parameter: 'content' },
      })
    }
    return { role, content: parts.map(({ value }) => value).join('') }
  })
}

function constraintOf(constraint: PromptOptions['responseConstraint']) {
  if (constraint === undefined) return {}
  if (constraint instanceof RegExp) {
    // The others say where to look for a match, or how to tell it: here all of the answer is one.
    const changing = [...constraint.flags].find((flag) => 'imsv'.includes(flag))
    if (changing !== undefined) {
      throw new BrasaError('invalid_request', {
        message: `The flag "${changing}" of ${constraint} is not supported. Write the pattern without it, such as [Aa] for a.`,
        details: { parameter: 'responseConstraint' },
      })
    }
    return { response_format: { type: 'regex' as const, pattern: constraint.source } }
  }
  return {
    response_format: {
      type: 'json_schema' as const,
      json_schema: { name: 'response', schema: constraint, strict: true },
    },
  }
}
