import type {
  Executor,
  PenaltyHistory,
  SamplingSettings,
  Sequence,
  StepResult,
} from '../backends/executor.ts'
import type { TransformerSpec } from '../backends/transformer-spec.ts'
import { BrasaError } from '../errors.ts'

export interface FakeExecutorOptions {
  readonly contextLength?: number
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
  const { contextLength = 64, next = hashOf, chunkSize = 4 } = options
  let numTokensComputed = 0
  let numStepsIssued = 0
  let inFlight = 0
  let queue: Promise<unknown> = Promise.resolve()
  let state: 'well' | 'lost' | 'disposed' = 'well'

  const own = (sequence: Sequence) => sequence as FakeSequence
  const misuse = (message: string) => new Error(`executor misused: ${message}`)
  const check = () => {
    if (state === 'lost') throw new BrasaError('device_lost', { message: 'The GPU was lost.' })
    if (state === 'disposed') throw new BrasaError('disposed', { message: 'The model was unloaded.' })
  }
  const add = (sequence: FakeSequence, token: number) => {
    if (sequence.tokens.length >= contextLength) throw misuse('the sequence is full')
    sequence.tokens.push(token)
    numTokensComputed++
  }

  return {
    spec: { contextLength: 1000, vocabSize: 0x10000 } as TransformerSpec,
    device: { backend: 'reference', adapter: 'a test', reason: 'A test asked for it.', features: [] },
    contextLength,
    maxBatchSize: 1,
    memory: () => ({ weightBytes: 1, kvCacheBytes: 2, otherBytes: 3 }),
    createSequence: () => ({ id: 1, length: 0, tokens: [], seed: 0, numInFlight: 0 }) as FakeSequence,
    fork: () => {
      throw misuse('nothing here forks')
    },
    rollback(sequence, length) {
      check()
      const { numInFlight, tokens } = own(sequence)
      if (numInFlight > 0) throw misuse('rollback with steps in flight')
      if (length > tokens.length) throw misuse(`rollback to ${length} of ${tokens.length} tokens`)
      tokens.length = length
      Object.assign(sequence, { length, sampled: undefined })
    },
    free() {},
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
    step([row]) {
      check()
      const sequence = own(row!.sequence)
      if (inFlight >= 4) throw misuse('more than four steps in flight')
      if (sequence.length >= contextLength) throw misuse('the sequence is full')
      if (row!.token === undefined && sequence.numInFlight === 0 && sequence.sampled === undefined)
        throw misuse('a step with no token to add')
      inFlight++
      sequence.numInFlight++
      sequence.length++
      const stepNumber = numStepsIssued++
      const turn = queue.then(async (): Promise<readonly StepResult[]> => {
        try {
          await sleep(options.stepMs)
          if (stepNumber === options.lostAtStep) state = 'lost'
          check()
          add(sequence, row!.token ?? sequence.sampled!)
          sequence.sampled = next(sequence.tokens, sequence.seed)
          const topLogprobs = Array.from({ length: row!.topLogprobs ?? 0 }, (_, index) => ({
            token: sequence.sampled! + index,
            logprob: -1 - index,
          }))
          // More likely the nearer to what it samples.
          const logprobs = (row!.logprobsOf ?? []).map((token) => -1 - Math.abs(token - sequence.sampled!))
          return [{ token: sequence.sampled, topLogprobs, logprobs }]
        } finally {
          inFlight--
          sequence.numInFlight--
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
  }
}

/** FNV-1a over the tokens, as a lower-case letter's code. */
function hashOf(tokens: readonly number[], seed: number): number {
  let hash = 2166136261 ^ seed
  for (const token of tokens) hash = Math.imul(hash ^ token, 16777619)
  return 97 + ((hash >>> 0) % 26)
}
