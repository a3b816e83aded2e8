import type {
  AllowedTokens,
  Executor,
  PenaltyHistory,
  SamplingSettings,
  Sequence,
  StepResult,
  StepRow,
} from '../backends/executor.ts'
import type { TransformerSpec } from '../backends/transformer-spec.ts'
import { BrasaError } from '../errors.ts'

export interface FakeExecutorOptions {
  readonly contextLength?: number
  readonly maxBatchSize?: number
  /** The successor of a sequence's tokens; by default a hash of all of them, so that one wrong token changes all after it. */
  readonly next?: (tokens: readonly number[], seed: number) => number
  readonly stepMs?: number
  /** Tokens of one piece of prefill. */
  readonly chunkSize?: number
  readonly chunkMs?: number
  /** The device is lost at this step, counted over the executor's life. */
  readonly lostAtStep?: number | undefined
}

export interface FakeExecutor extends Executor {
  /** Every token ever computed, by `append` or `step`. */
  readonly numTokensComputed: () => number
  readonly numStepsIssued: () => number
  readonly tokensOf: (sequence: Sequence) => readonly number[]
  /** Those that were not freed. */
  readonly sequences: () => readonly Sequence[]
}

interface FakeSequence extends Sequence {
  length: number
  tokens: number[]
  seed: number
  /** Sampled by the last step, until something else changes the sequence. */
  sampled?: number
  numInFlight: number
}

const sleep = (ms = 0) => (ms > 0 ? new Promise((resolve) => setTimeout(resolve, ms)) : Promise.resolve())

/** An executor for tests that computes nothing and is strict about its contract: a misuse throws. */
export function createFakeExecutor(options: FakeExecutorOptions = {}): FakeExecutor {
  const { contextLength = 64, maxBatchSize = 4, next = hashOf, chunkSize = 4 } = options
  const alive = new Set<FakeSequence>()
  let nextId = 1
  let numTokensComputed = 0
  let numStepsIssued = 0
  let inFlight = 0
  let lastRows: readonly FakeSequence[] = []
  let queue: Promise<unknown> = Promise.resolve()
  let state: 'well' | 'lost' | 'disposed' = 'well'

  const misuse = (message: string) => new Error(`executor misused: ${message}`)
  const own = (sequence: Sequence) => {
    const state = sequence as FakeSequence
    if (!alive.has(state)) throw misuse('a sequence that was freed')
    return state
  }
  const create = (tokens: readonly number[]): FakeSequence => {
    if (alive.size >= maxBatchSize) throw misuse('a sequence too many')
    const state = { id: nextId++, length: tokens.length, tokens: [...tokens], seed: 0, numInFlight: 0 }
    alive.add(state)
    return state
  }
  const check = () => {
    if (state === 'lost') throw new BrasaError('device_lost', { message: 'The GPU was lost.' })
    if (state === 'disposed') throw new BrasaError('disposed', { message: 'The model was unloaded.' })
  }
  const add = (sequence: FakeSequence, token: number) => {
    if (sequence.tokens.length >= contextLength) throw misuse('the sequence is full')
    sequence.tokens.push(token)
    numTokensComputed++
  }

  async function stepOf(sequence: FakeSequence, row: StepRow): Promise<StepResult> {
    add(sequence, row.token ?? sequence.sampled!)
    const sampled = next(sequence.tokens, sequence.seed)
    sequence.sampled = allowedOf(sampled, await row.allowedTokens?.())
    const topLogprobs = Array.from({ length: row.topLogprobs ?? 0 }, (_, index) => ({
      token: sequence.sampled! + index,
      logprob: -1 - index,
    }))
    // More likely the nearer to what it samples.
    const logprobs = (row.logprobsOf ?? []).map((token) => -1 - Math.abs(token - sequence.sampled!))
    return { token: sequence.sampled, topLogprobs, logprobs }
  }

  return {
    spec: { contextLength: 1000, vocabSize: 0x10000 } as TransformerSpec,
    device: { backend: 'reference', adapter: 'a test', reason: 'A test asked for it.', features: [] },
    contextLength,
    maxBatchSize,
    memory: () => ({ weightBytes: 1, kvCacheBytes: 2, otherBytes: 3 }),
    createSequence: () => create([]),
    fork(sequence) {
      const { tokens, numInFlight } = own(sequence)
      if (numInFlight > 0) throw misuse('fork with steps in flight')
      return create(tokens)
    },
    rollback(sequence, length) {
      check()
      const { numInFlight, tokens } = own(sequence)
      if (numInFlight > 0) throw misuse('rollback with steps in flight')
      if (length > tokens.length) throw misuse(`rollback to ${length} of ${tokens.length} tokens`)
      tokens.length = length
      Object.assign(sequence, { length, sampled: undefined })
    },
    free(sequence) {
      if (own(sequence).numInFlight > 0) throw misuse('free with steps in flight')
      alive.delete(own(sequence))
    },
    configureSampling(sequence, settings: SamplingSettings, _history: PenaltyHistory) {
      check()
      own(sequence).seed = settings.seed
    },
    async append(sequence, tokens, { signal, onProgress } = {}) {
      for (let start = 0; start < tokens.length; start += chunkSize) {
        check()
        if (signal?.aborted) throw new BrasaError('aborted', { message: 'Stopped.' })
        const chunk = tokens.subarray(start, start + chunkSize)
        await sleep(options.chunkMs)
        for (const token of chunk) add(own(sequence), token)
        Object.assign(sequence, { length: own(sequence).tokens.length, sampled: undefined })
        onProgress?.(start + chunk.length)
      }
    },
    step(rows) {
      check()
      const sequences = rows.map(({ sequence }) => own(sequence))
      if (inFlight >= 4) throw misuse('more than four steps in flight')
      if (rows.length === 0 || rows.length > maxBatchSize) throw misuse(`${rows.length} rows`)
      if (new Set(sequences).size < rows.length) throw misuse('a sequence twice in one step')
      const isSame = rows.length === lastRows.length && sequences.every((row, i) => row === lastRows[i])
      if (inFlight > 0 && !isSame) throw misuse('other rows with steps in flight')
      lastRows = sequences
      for (const [index, sequence] of sequences.entries()) {
        if (sequence.length >= contextLength) throw misuse('the sequence is full')
        const isFed = rows[index]!.token !== undefined
        if (!isFed && sequence.numInFlight === 0 && sequence.sampled === undefined)
          throw misuse('a step with no token to add')
        sequence.numInFlight++
        sequence.length++
      }
      inFlight++
      const stepNumber = numStepsIssued++
      const turn = queue.then(async (): Promise<readonly StepResult[]> => {
        try {
          await sleep(options.stepMs)
          if (stepNumber === options.lostAtStep) state = 'lost'
          check()
          return await Promise.all(rows.map((row, index) => stepOf(sequences[index]!, row)))
        } finally {
          inFlight--
          for (const sequence of sequences) sequence.numInFlight--
        }
      })
      queue = turn.catch(() => {})
      return turn
    },
    dispose() {
      state = 'disposed'
    },
    numTokensComputed: () => numTokensComputed,
    numStepsIssued: () => numStepsIssued,
    tokensOf: (sequence) => own(sequence).tokens,
    sequences: () => [...alive],
  }
}

/** FNV-1a over the tokens, as a lower-case letter's code. */
function hashOf(tokens: readonly number[], seed: number): number {
  let hash = 2166136261 ^ seed
  for (const token of tokens) hash = Math.imul(hash ^ token, 16777619)
  return 97 + ((hash >>> 0) % 26)
}

/** The token itself, else the next one that the mask allows. */
function allowedOf(token: number, allowed: AllowedTokens): number {
  if (allowed === undefined) return token
  const isAllowed = (candidate: number) => (allowed[candidate >>> 5]! >>> (candidate & 31)) & 1
  for (let offset = 0; offset < 32 * allowed.length; offset++) {
    const candidate = (token + offset) % (32 * allowed.length)
    if (isAllowed(candidate)) return candidate
  }
  throw new Error('executor misused: a mask that allows nothing')
}
