import { BrasaError, throwIfAborted } from '../errors.ts'
import type {
  EngineEvent,
  EngineService,
  GenerateRequest,
  ScoreRequest,
  StreamId,
  TokenScore,
} from '../protocol.ts'
import { createEventQueue, type EventQueue } from './event-queue.ts'
import { checkPrompt, generate } from './generate.ts'
import type { LoadModel } from './model.ts'
import { createModelSessions, type ModelSession } from './model-session.ts'
import { createRequestQueue } from './request-queue.ts'
import { checkScoring, score } from './score.ts'

interface StreamContext {
  readonly emit: (event: EngineEvent) => void
  readonly signal: AbortSignal
}

/** The engine as the worker exposes it: streams by id, one answer at a time, the model loaded anew when it was lost. */
export function createEngineService(loadModel: LoadModel): EngineService {
  const streams = new Map<StreamId, { events: EventQueue; controller: AbortController }>()
  const sessions = createModelSessions(loadModel)
  const queue = createRequestQueue()
  const ignore = () => {}

  function open(stream: StreamId, run: (context: StreamContext) => Promise<unknown>): void {
    const events = createEventQueue()
    const controller = new AbortController()
    streams.set(stream, { events, controller })
    const emit = (event: EngineEvent) => {
      events.push(event)
      // What happens to the executor after the answer is for the next request to say.
      if (event.type === 'done') events.close()
    }
    run({ emit, signal: controller.signal }).then(events.close, events.fail)
  }

  async function answer(request: GenerateRequest, { emit, signal }: StreamContext): Promise<void> {
    const arrivedAtMs = performance.now()
    refuseUnsupported(request)
    const stopped = (promptTokens: number) => emit(stoppedBeforeItBegan(promptTokens))

    const session = await Promise.race([sessions.current(emit), abortOf(signal)])
    if (!session) return stopped(0)
    const prompt = await session.model.encodePrompt(request.input)
    checkPrompt(prompt, session.model.executor)
    emit({ type: 'accepted' })

    const run = async ({ model, conversation }: ModelSession) => {
      const { executor, lookahead } = model
      const { settings, answered } = request
      const text = model.answerText(request.input, prompt)
      await generate({
        executor,
        conversation,
        text,
        lookahead,
        prompt,
        settings,
        answered,
        signal,
        arrivedAtMs,
        emit,
      })
      return true
    }
    const ran = await queue.run(() => runOnSession(run, emit), signal)
    if (!ran) stopped(prompt.length)
  }

  async function scoreText(
    { input, ...wanted }: ScoreRequest,
    { emit, signal }: StreamContext,
  ): Promise<void> {
    const scoringOf = ({ model }: ModelSession) => ({
      ...wanted,
      executor: model.executor,
      lookahead: model.lookahead,
      tokens: 'text' in input ? model.tokenize(input.text) : input.tokens,
      signal,
      emit: (scores: readonly TokenScore[]) => emit({ type: 'scored', scores }),
    })
    const session = await Promise.race([sessions.current(emit), abortOf(signal)])
    if (session) {
      const scoring = scoringOf(session)
      checkScoring(scoring)
      emit({ type: 'tokenized', tokens: scoring.tokens })
      const run = (current: ModelSession) => score(scoringOf(current))
      if (await queue.run(() => runOnSession(run, emit), signal)) return
    }
    throwIfAborted(signal)
  }

  /** Runs on the session, or on a new one if it was lost. */
  async function runOnSession<T>(
    run: (session: ModelSession) => Promise<T>,
    emit: (event: EngineEvent) => void,
  ): Promise<T> {
    const session = await sessions.current(emit)
    try {
      return await run(session)
    } catch (error) {
      // An executor that failed once is not trusted again.
      sessions.drop(session)
      throw error
    }
  }

  return {
    ping: ignore,
    load: (stream, request) => open(stream, ({ emit, signal }) => sessions.load(request, emit, signal)),
    generate: (stream, request) => open(stream, (context) => answer(request, context)),
    score: (stream, request) => open(stream, (context) => scoreText(request, context)),
    async next(stream) {
      const events = streams.get(stream)?.events
      if (!events) throw new BrasaError('internal', { message: `There is no stream ${stream}.` })
      let batch: readonly EngineEvent[] = []
      try {
        batch = await events.next()
        return batch
      } finally {
        if (batch.length === 0) streams.delete(stream)
      }
    },
    abort: (stream) => streams.get(stream)?.controller.abort(),
    tokenize: async (text) => (await sessions.current(ignore)).model.tokenize(text),
    async tokenBytes(tokens) {
      const { model } = await sessions.current(ignore)
      return Array.from(tokens, model.tokenBytes)
    },
    memory: async () => (await sessions.current(ignore)).model.executor.memory(),
    counters: async () => (await sessions.current(ignore)).model.counters(),
    async dispose() {
      for (const { controller } of streams.values()) controller.abort()
      sessions.dispose()
    },
  }
}

/** @throws BrasaError `invalid_request` */
function refuseUnsupported({ input, settings }: GenerateRequest): void {
  const { numAnswers = 1, format } = settings
  const asksFor = [
    ['n', numAnswers > 1],
    ['response_format', format !== undefined],
    ['tools', 'messages' in input && input.tools !== undefined],
    ['continue_final_message', 'messages' in input && input.continuesAssistant],
  ].find(([, isAsked]) => isAsked)
  if (asksFor === undefined) return
  throw new BrasaError('invalid_request', {
    message: `"${asksFor[0]}" is not supported. Leave it out.`,
    details: { parameter: String(asksFor[0]) },
  })
}

function abortOf(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined)
    signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
}

function stoppedBeforeItBegan(promptTokens: number): EngineEvent {
  return {
    type: 'done',
    finishReason: 'abort',
    usage: {
      prompt_tokens: promptTokens,
      completion_tokens: 0,
      total_tokens: promptTokens,
      prompt_tokens_details: { cached_tokens: 0 },
    },
    timings: { ttftMs: 0, prefillTokensPerSecond: 0, decodeTokensPerSecond: 0 },
  }
}
