import { BrasaError, isBrasaError, throwIfAborted } from '../errors.ts'
import type {
  EngineEvent,
  EngineService,
  GenerateRequest,
  GenerationSettings,
  ScoreRequest,
  StreamId,
  TokenScore,
} from '../protocol.ts'
import { createEventQueue, type EventQueue } from './event-queue.ts'
import { type Constraint, checkPrompt, createAnswerTask } from './generate.ts'
import type { LoadModel } from './model.ts'
import { createModelSessions, type ModelSession } from './model-session.ts'
import type { SequenceTask } from './scheduler.ts'
import { checkScoring, createScoreTask } from './score.ts'

interface StreamContext {
  readonly emit: (event: EngineEvent) => void
  /** Ends the stream; what still runs goes on unheard. */
  readonly close: () => void
  readonly signal: AbortSignal
}

/** The engine as the worker exposes it: streams by id, answers side by side, the model loaded anew when it was lost. */
export function createEngineService(loadModel: LoadModel): EngineService {
  const streams = new Map<StreamId, { events: EventQueue; controller: AbortController }>()
  const sessions = createModelSessions(loadModel)

  function open(stream: StreamId, run: (context: StreamContext) => Promise<unknown>): void {
    const events = createEventQueue()
    const controller = new AbortController()
    streams.set(stream, { events, controller })
    const { push: emit, close } = events
    run({ emit, close, signal: controller.signal }).then(close, events.fail)
  }

  async function answer(request: GenerateRequest, { emit, close, signal }: StreamContext): Promise<void> {
    const arrivedAtMs = performance.now()
    const { input, settings, answered = [] } = request
    const indices = Array.from({ length: settings.numAnswers ?? 1 }, (_, index) => index)
    const left = new Set(indices.filter((index) => !answered[index]?.isDone))
    const tell = (event: EngineEvent) => {
      emit(event)
      if (event.type !== 'done') return
      left.delete(event.answer ?? 0)
      // What happens to the executor after the answers is for the next request to say.
      if (left.size === 0) close()
    }

    const session = await Promise.race([sessions.current(emit), abortOf(signal)])
    if (!session) {
      for (const index of left) tell(stoppedBeforeItBegan(settings, index))
      return
    }
    const prompt = await session.model.encodePrompt(input)
    checkPrompt(prompt, session.model.executor)
    session.scheduler.checkRoom()
    const constraints = await constraintsOf(session, request, left)

    const usage = { cachedTokens: 0, completionTokens: 0 }
    for (const { tokens, isDone } of answered) if (isDone) usage.completionTokens += tokens.length
    // One that fails takes those beside it along.
    const stopper = new AbortController()
    const stop = () => stopper.abort()
    signal.addEventListener('abort', stop)
    if (signal.aborted) stop()
    const taskOf = (index: number, { model }: ModelSession) =>
      createAnswerTask({
        ...{ prompt, settings, index, usage, arrivedAtMs },
        text: model.answerText(input, prompt),
        answered: answered[index]?.tokens ?? [],
        contextLength: model.executor.contextLength,
        constraint: constraints.get(index),
        signal: stopper.signal,
        emit: tell,
      })
    try {
      // Others may have come while the format was prepared.
      session.scheduler.checkRoom()
      emit({ type: 'accepted' })
      await Promise.all(
        [...left].map((index) => runInTurn(session, (current) => taskOf(index, current), emit)),
      )
    } finally {
      signal.removeEventListener('abort', stop)
      stop()
      for (const constraint of constraints.values()) constraint.free()
    }
  }

  async function scoreText(
    { input, ...wanted }: ScoreRequest,
    { emit, signal }: StreamContext,
  ): Promise<void> {
    const session = await Promise.race([sessions.current(emit), abortOf(signal)])
    if (session) {
      const tokens = 'text' in input ? session.model.tokenize(input.text) : input.tokens
      const tell = (scores: readonly TokenScore[]) => emit({ type: 'scored', scores })
      const scoring = { ...wanted, tokens, signal, emit: tell }
      checkScoring(scoring, session.model.executor)
      session.scheduler.checkRoom()
      emit({ type: 'tokenized', tokens })
      await runInTurn(session, () => createScoreTask(scoring), emit)
    }
    throwIfAborted(signal)
  }

  /** Runs on the session, or on a new one if it was lost before the task's turn came. */
  async function runInTurn(
    session: ModelSession,
    taskOf: (session: ModelSession) => SequenceTask,
    emit: (event: EngineEvent) => void,
  ): Promise<void> {
    for (let current = session; ; current = await sessions.current(emit)) {
      try {
        if (await current.scheduler.run(taskOf(current))) return
      } catch (error) {
        throw ofLoad(error, current.load)
      }
    }
  }

  return {
    ping() {},
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
    async tokenize(text) {
      const { model } = await sessions.current()
      return typeof text === 'string' ? model.tokenize(text) : model.encodePrompt(text.input, text)
    },
    async tokenBytes(tokens) {
      const { model } = await sessions.current()
      return Array.from(tokens, model.tokenBytes)
    },
    memory: async () => (await sessions.current()).model.executor.memory(),
    counters: async () => (await sessions.current()).model.counters(),
    async dispose() {
      for (const { controller } of streams.values()) controller.abort()
      sessions.dispose()
    },
  }
}

/** Many streams may hear of one loss of the device: `load` tells that it is one. */
function ofLoad(error: unknown, load: number): unknown {
  if (!isBrasaError(error) || error.code !== 'device_lost') return error
  const { message, details } = error
  return new BrasaError('device_lost', { message, details: { ...details, load }, cause: error })
}

/** One for each answer that is to come, where the request asks for a format. */
async function constraintsOf(
  { model }: ModelSession,
  { settings: { format }, answered = [] }: GenerateRequest,
  indices: ReadonlySet<number>,
): Promise<ReadonlyMap<number, Constraint>> {
  const constraints = new Map<number, Constraint>()
  if (format === undefined) return constraints
  if (model.constrain === undefined) throw unsupported('response_format')
  try {
    for (const index of indices) {
      constraints.set(index, await model.constrain(format, answered[index]?.tokens ?? []))
    }
    return constraints
  } catch (error) {
    for (const constraint of constraints.values()) constraint.free()
    throw error
  }
}

function unsupported(parameter: string): BrasaError {
  return new BrasaError('invalid_request', {
    message: `"${parameter}" is not supported. Leave it out.`,
    details: { parameter },
  })
}

function abortOf(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined)
    signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
}

function stoppedBeforeItBegan({ numAnswers = 1 }: GenerationSettings, index: number): EngineEvent {
  return {
    type: 'done',
    ...(numAnswers > 1 && { answer: index }),
    finishReason: 'abort',
    usage: {
      prompt_tokens: 0,
      completion_tokens: 0,
      total_tokens: 0,
      prompt_tokens_details: { cached_tokens: 0 },
    },
    timings: { ttftMs: 0, prefillTokensPerSecond: 0, decodeTokensPerSecond: 0 },
  }
}
