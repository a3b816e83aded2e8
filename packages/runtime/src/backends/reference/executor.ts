import { BrasaError, throwIfAborted } from '../../errors.ts'
import {
  type AppendOptions,
  type Executor,
  greedySettings,
  type PenaltyHistory,
  type SamplingSettings,
  type Sequence,
  type StepResult,
  type StepRow,
  type TokenLogprob,
} from '../executor.ts'
import type { TransformerSpec } from '../transformer-spec.ts'
import type { Weights } from '../weights.ts'
import { breathe, createKvCache, forward, headLogits, type KvCache } from './forward.ts'
import { loadWeights } from './load-weights.ts'
import { logSoftmax } from './operations.ts'
import { sampleToken, type TokenCounts } from './sampling.ts'

export interface ReferenceOptions {
  /** Tokens one sequence may hold; the model's own limit by default. */
  readonly contextLength?: number | undefined
  /** Rows one step may have. */
  readonly maxBatchSize?: number
  readonly reason?: string
  readonly signal?: AbortSignal | undefined
  readonly onPhase?: (phase: 'upload' | 'compile') => void
  /** Called with the bytes of file that are decoded so far. */
  readonly onUpload?: (loadedBytes: number) => void
}

interface SequenceState extends Sequence {
  length: number
  cache: KvCache
  /** What the last step sampled; undefined before there was one and after a rollback. */
  lastToken: number | undefined
  stepsInFlight: number
  settings: SamplingSettings
  counts: { seen: Set<number>; answer: Map<number, number> }
}

/** Prompt tokens computed together: each weight is read once for all of them. */
const chunkSize = 32
const maxStepsInFlight = 4

/**
 * The model in plain float64: slow, and right as far as reading can tell. Weights pass through the same planes as on a
 * GPU, so that these are tested too.
 * @throws BrasaError `aborted`, and what `weights` throws
 */
export async function createReferenceExecutor(
  spec: TransformerSpec,
  weights: Weights,
  options: ReferenceOptions = {},
): Promise<Executor> {
  const {
    maxBatchSize = 4,
    reason = 'The float64 reference was asked for.',
    signal,
    onPhase,
    onUpload,
  } = options
  const contextLength = Math.min(options.contextLength ?? spec.contextLength, spec.contextLength)
  onPhase?.('upload')
  const model = await loadWeights(spec, weights, signal, onUpload)
  onPhase?.('compile')

  const alive = new Set<Sequence>()
  let nextId = 1
  let stepsInFlight = 0
  let disposed = false
  /** Work is done in the order it was asked for. */
  let lastTurn: Promise<unknown> = Promise.resolve()

  function checkDisposed(): void {
    if (disposed)
      throw new BrasaError('disposed', { message: 'This engine was disposed of. Create another one.' })
  }

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = lastTurn.then(() => {
      checkDisposed()
      return work()
    })
    lastTurn = turn.catch(() => undefined)
    return turn
  }

  function stateOf(sequence: Sequence): SequenceState {
    checkDisposed()
    if (alive.has(sequence)) return sequence as SequenceState
    throw new BrasaError('internal', {
      message: `Sequence ${sequence.id} was freed, or is not of this executor.`,
    })
  }

  function checkRoom(state: SequenceState, numTokens: number): void {
    if (state.length + numTokens <= contextLength) return
    throw new BrasaError('context_length_exceeded', {
      message: `The sequence holds ${state.length} tokens and ${numTokens} more do not fit in the context of ${contextLength}. Shorten the conversation, or load with a larger contextLength.`,
      details: { numTokens: state.length + numTokens, contextLength },
    })
  }

  function create(length: number, cache: KvCache): SequenceState {
    const counts = { seen: new Set<number>(), answer: new Map<number, number>() }
    const state = {
      id: nextId++,
      length,
      cache,
      lastToken: undefined,
      stepsInFlight: 0,
      settings: greedySettings,
      counts,
    }
    alive.add(state)
    return state
  }

  async function append(sequence: Sequence, tokens: Uint32Array, { signal, onProgress }: AppendOptions) {
    const state = stateOf(sequence)
    checkRoom(state, tokens.length)
    for (const token of tokens) checkToken(token)
    for (let done = 0; done < tokens.length; ) {
      await breathe()
      throwIfAborted(signal)
      checkDisposed()
      const chunk = tokens.subarray(done, done + chunkSize)
      await forward(model, state.cache, chunk, state.length)
      state.length += chunk.length
      done += chunk.length
      onProgress?.(done)
    }
  }

  function checkToken(token: number): void {
    if (Number.isInteger(token) && token >= 0 && token < spec.vocabSize) return
    throw new BrasaError('internal', {
      message: `Token ${token} is not among the model's ${spec.vocabSize}.`,
    })
  }

  async function step(
    rows: readonly StepRow[],
    positions: readonly number[],
  ): Promise<readonly StepResult[]> {
    const results: StepResult[] = []
    for (const [index, row] of rows.entries()) {
      await breathe()
      const state = stateOf(row.sequence)
      const token = row.token ?? state.lastToken
      if (token === undefined) {
        throw new BrasaError('internal', {
          message: `Sequence ${state.id} has sampled no token to go on from.`,
        })
      }
      checkToken(token)
      const position = positions[index]!
      const hidden = await forward(model, state.cache, Uint32Array.of(token), position)
      const logits = headLogits(model, hidden, 1)
      const sampled = sampleToken(logits, state.settings, state.counts, position + 1)
      state.counts.seen.add(sampled)
      state.counts.answer.set(sampled, (state.counts.answer.get(sampled) ?? 0) + 1)
      state.lastToken = sampled
      results.push({ token: sampled, topLogprobs: mostLikely(logits, row.topLogprobs ?? 0) })
    }
    checkDisposed()
    return results
  }

  return {
    spec,
    device: { backend: 'reference', adapter: 'float64 on the CPU', reason, features: [] },
    contextLength,
    maxBatchSize,
    memory: () => ({
      weightBytes: model.byteLength,
      kvCacheBytes: [...alive].reduce(
        (sum, sequence) => sum + (sequence as SequenceState).cache.byteLength(),
        0,
      ),
      otherBytes: 0,
    }),
    createSequence() {
      checkDisposed()
      return create(0, createKvCache(spec))
    },
    fork(sequence) {
      const { length, cache, lastToken } = stateOf(sequence)
      const copy = create(length, cache.copy())
      copy.lastToken = lastToken
      return copy
    },
    rollback(sequence, length) {
      const state = stateOf(sequence)
      if (length === state.length) return
      if (!(Number.isInteger(length) && length >= 0 && length < state.length)) {
        throw new BrasaError('internal', { message: `Cannot roll back ${state.length} tokens to ${length}.` })
      }
      state.length = length
      state.lastToken = undefined
    },
    free(sequence) {
      alive.delete(stateOf(sequence))
    },
    configureSampling(sequence, settings, history) {
      const state = stateOf(sequence)
      state.settings = settings
      state.counts = countTokens(history)
    },
    append: (sequence, tokens, options = {}) => inTurn(() => append(sequence, tokens, options)),
    async step(rows) {
      if (rows.length === 0 || rows.length > maxBatchSize) {
        throw new BrasaError('invalid_request', {
          message: `A step has 1 to ${maxBatchSize} rows, not ${rows.length}.`,
        })
      }
      if (stepsInFlight >= maxStepsInFlight) {
        throw new BrasaError('internal', {
          message: `Read a step before enqueueing more than ${maxStepsInFlight}.`,
        })
      }
      const states = rows.map(({ sequence }) => stateOf(sequence))
      for (const [index, state] of states.entries()) {
        checkRoom(state, 1)
        const { token } = rows[index]!
        if (token !== undefined) checkToken(token)
        else if (state.lastToken === undefined && state.stepsInFlight === 0) {
          throw new BrasaError('internal', {
            message: `Sequence ${state.id} has sampled no token to go on from.`,
          })
        }
      }
      // A caller sees the length of steps in flight at once, so that the position is taken here.
      const positions = states.map((state) => state.length++)
      stepsInFlight += 1
      for (const state of states) state.stepsInFlight += 1
      try {
        return await inTurn(() => step(rows, positions))
      } finally {
        stepsInFlight -= 1
        for (const state of states) state.stepsInFlight -= 1
      }
    },
    dispose() {
      disposed = true
      alive.clear()
    },
  }
}

function countTokens({ promptTokens, answerTokens }: PenaltyHistory): {
  seen: Set<number>
  answer: Map<number, number>
} {
  const answer = new Map<number, number>()
  for (const token of answerTokens) answer.set(token, (answer.get(token) ?? 0) + 1)
  return { seen: new Set([...promptTokens, ...answerTokens]), answer } satisfies TokenCounts
}

function mostLikely(logits: Float64Array, count: number): readonly TokenLogprob[] {
  if (count === 0) return []
  const logprobs = logSoftmax(logits)
  const tokens = Array.from(logprobs.keys()).sort((a, b) => logprobs[b]! - logprobs[a]! || a - b)
  return tokens.slice(0, count).map((token) => ({ token, logprob: logprobs[token]! }))
}
