import { BrasaError, throwIfAborted } from '../errors.ts'
import { checkRollback, checkRoom, checkStep } from './contract-checks.ts'
import {
  type AllowedTokens,
  type AppendOptions,
  type DeviceInfo,
  type Executor,
  greedySettings,
  type MemoryInfo,
  type PenaltyHistory,
  type SamplingSettings,
  type Sequence,
  type StepResult,
  type StepRow,
} from './executor.ts'
import { reportLogprobs } from './logprobs.ts'
import { sampleToken, type TokenCounts } from './sampling.ts'
import type { TransformerSpec } from './transformer-spec.ts'

/** A model whose logits are on the host: what a backend writes to become an executor that samples there. */
export interface HostModel<Cache> {
  readonly device: DeviceInfo
  /** Prompt tokens computed together. */
  readonly chunkSize: number
  createCache(): Cache
  /** A second cache with the keys and values of the first `length` positions. */
  copyCache(cache: Cache, length: number): Cache
  freeCache(cache: Cache): void
  /**
   * Told that positions from `length` on are to be forgotten. A model that holds every position does without it.
   * @returns how many positions the sequence then has: `length`, or 0 where keys that a window needs are gone
   */
  rollback?(cache: Cache, length: number): number
  /**
   * Adds keys and values of `tokens` at `firstPosition` and on; those that the cache holds from there on are forgotten.
   * @returns (vocabSize) logits of the last token where they are wanted; the caller keeps them
   */
  forward(
    cache: Cache,
    tokens: Uint32Array,
    firstPosition: number,
    wantsLogits: boolean,
  ): Promise<Logits | undefined>
  /** Samples from the logits that the last `forward` gave, by the rules of sampling.ts, where it can do so without the host. */
  sample?(settings: SamplingSettings, counts: TokenCounts, position: number, allowed: AllowedTokens): number
  memory(caches: readonly Cache[]): MemoryInfo
  dispose(): void
}

export type Logits = Float32Array | Float64Array

export interface HostExecutorOptions {
  readonly contextLength: number
  readonly maxBatchSize: number
}

interface SequenceState<Cache> extends Sequence {
  length: number
  readonly cache: Cache
  /** What the last step sampled; undefined before there was one and after a rollback. */
  lastToken: number | undefined
  stepsInFlight: number
  settings: SamplingSettings
  counts: { seen: Set<number>; answer: Map<number, number> }
}

/** An executor over `model`: sequences, order of work, sampling. Rows of a step are computed one after another. */
export function createHostExecutor<Cache>(
  spec: TransformerSpec,
  model: HostModel<Cache>,
  limits: HostExecutorOptions,
): Executor {
  const { contextLength, maxBatchSize } = limits
  const alive = new Set<SequenceState<Cache>>()
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

  function stateOf(sequence: Sequence): SequenceState<Cache> {
    checkDisposed()
    const state = sequence as SequenceState<Cache>
    if (alive.has(state)) return state
    throw new BrasaError('internal', {
      message: `Sequence ${sequence.id} was freed, or is not of this executor.`,
    })
  }

  function create(length: number, cache: Cache): SequenceState<Cache> {
    const counts = { seen: new Set<number>(), answer: new Map<number, number>() }
    const state: SequenceState<Cache> = {
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
    checkRoom(state, tokens.length, limits)
    for (const token of tokens) checkToken(token)
    for (let done = 0; done < tokens.length; ) {
      throwIfAborted(signal)
      checkDisposed()
      const chunk = tokens.subarray(done, done + model.chunkSize)
      await model.forward(state.cache, chunk, state.length, false)
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
      const state = stateOf(row.sequence)
      const token = row.token ?? state.lastToken
      if (token === undefined) {
        throw new BrasaError('internal', {
          message: `Sequence ${state.id} has sampled no token to go on from.`,
        })
      }
      checkToken(token)
      const position = positions[index]!
      const computing = model.forward(state.cache, Uint32Array.of(token), position, true)
      const [logits, allowed] = await Promise.all([computing, row.allowedTokens?.()])
      if (logits === undefined) throw new BrasaError('internal', { message: 'The backend gave no logits.' })
      const sampled =
        model.sample?.(state.settings, state.counts, position + 1, allowed) ??
        sampleToken(logits, state.settings, state.counts, position + 1, allowed)
      state.counts.seen.add(sampled)
      state.counts.answer.set(sampled, (state.counts.answer.get(sampled) ?? 0) + 1)
      state.lastToken = sampled
      results.push({ token: sampled, ...reportLogprobs(logits, row) })
    }
    checkDisposed()
    return results
  }

  return {
    spec,
    device: model.device,
    contextLength,
    maxBatchSize,
    memory: () => model.memory([...alive].map(({ cache }) => cache)),
    createSequence() {
      checkDisposed()
      return create(0, model.createCache())
    },
    fork(sequence) {
      const { length, cache, lastToken } = stateOf(sequence)
      const copy = create(length, model.copyCache(cache, length))
      copy.lastToken = lastToken
      return copy
    },
    rollback(sequence, length) {
      const state = stateOf(sequence)
      if (length === state.length) return
      checkRollback(state, length)
      state.length = model.rollback?.(state.cache, length) ?? length
      state.lastToken = undefined
    },
    free(sequence) {
      const state = stateOf(sequence)
      alive.delete(state)
      model.freeCache(state.cache)
    },
    configureSampling(sequence, settings, history) {
      const state = stateOf(sequence)
      state.settings = settings
      state.counts = countTokens(history)
    },
    append: (sequence, tokens, options = {}) => inTurn(() => append(sequence, tokens, options)),
    async step(rows) {
      checkStep(rows.length, stepsInFlight, limits)
      const states = rows.map(({ sequence }) => stateOf(sequence))
      for (const [index, state] of states.entries()) {
        checkRoom(state, 1, limits)
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
      if (disposed) return
      disposed = true
      alive.clear()
      model.dispose()
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
