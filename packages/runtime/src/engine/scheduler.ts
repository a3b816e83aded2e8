import type { Executor, Sequence, StepResult, StepRow } from '../backends/executor.ts'
import { BrasaError, isBrasaError } from '../errors.ts'
import { createSequenceSlots, type SequenceSlot } from './sequence-slots.ts'

/** What one sequence is to do: hold some tokens, then take a step after another. */
export interface SequenceTask {
  /** One at least. All but the last are held before the first step, which adds the last. */
  readonly tokens: readonly number[]
  /** 0 where nothing but the end is left to tell. */
  readonly maxSteps: number
  /** Whether it may begin with what another sequence holds, and leave what it holds to others. */
  readonly sharesPrefix: boolean
  /** Where each step's token comes from: what the step before sampled, the same once the task has seen it, or the task itself. */
  readonly feed: 'sampled' | 'seen' | 'given'
  readonly signal: AbortSignal
  /** The sequence has its place; `cachedTokens` of `tokens` are held already. */
  begin(executor: Executor, sequence: Sequence, cachedTokens: number): void
  /** What the step after `numSteps` others asks for, its token included where the task gives it. */
  row(numSteps: number): Omit<StepRow, 'sequence'>
  /** Takes a step's result. @returns whether the task has ended by it */
  take(result: StepResult): boolean
  /** It ends for another reason: `maxSteps` were taken, or the signal fired, be it before `begin`. */
  end(reason: 'length' | 'abort'): void
}

export interface Scheduler {
  /** @throws BrasaError `queue_full` with `retryAfterMs` where too many wait already */
  checkRoom(): void
  /**
   * Runs a task in its turn. Resolves when its sequence is at rest; false where the executor failed before the task began, which another
   * scheduler may then run.
   * @throws BrasaError what the executor throws while the task runs, what the task throws
   */
  run(task: SequenceTask): Promise<boolean>
}

export interface SchedulerOptions {
  readonly executor: Executor
  /** Steps in flight at once; the executor allows four. */
  readonly lookahead: number
  /** Told once: the executor is of no more use. */
  readonly onFailure?: (error: unknown) => void
}

/** Requests that may wait for a sequence. */
export const maxWaiting = 64

/** Steps that running streams take between two pieces of a prompt. */
const stepsBetweenPieces = 4

interface Job {
  readonly task: SequenceTask
  slot?: SequenceSlot
  numRead: number
  startedAtMs: number
  ended: boolean
  resolve(ran: boolean): void
  reject(error: unknown): void
}

/**
 * Continuous batching (Yu et al. 2022, section 4.1): up to `maxBatchSize` sequences take their steps together, and one that has ended makes room
 * for the next in line after any step. First come, first served. Prompts are computed one after another, in pieces between the
 * steps of those that run. While the same rows step, steps stay in flight ahead of the tokens read, each fed on the backend by the one
 * before it; before the rows change, those in flight are read.
 */
export function createScheduler({ executor, lookahead, onFailure }: SchedulerOptions): Scheduler {
  const slots = createSequenceSlots(executor)
  const waiting: Job[] = []
  let running: Job[] = []
  let isBusy = false
  let failed = false
  /** Tokens the backend computes at once: what its progress comes in. */
  let chunkTokens = 32
  /** Of late. */
  let meanJobMs = 1000

  const held = ({ slot }: Job) => slot!.sequence.length
  const isPrefilling = (job: Job) => !job.ended && held(job) < job.task.tokens.length - 1
  const isWaitedFor = () => running.some(isPrefilling) || (waiting.length > 0 && slots.hasRoom)

  /** Calls the task; what it throws ends it alone. */
  function tell(job: Job, what: () => unknown): void {
    if (job.ended) return
    try {
      if (what() === true) job.ended = true
    } catch (error) {
      job.ended = true
      job.reject(error)
    }
  }
  const end = (job: Job, reason: 'length' | 'abort') =>
    tell(job, () => {
      job.task.end(reason)
      return true
    })

  /** Gives back the places of those that have ended. */
  function retire(): void {
    for (const job of running.filter(({ ended }) => ended)) {
      if (job.task.sharesPrefix) slots.keep(job.slot!)
      else slots.free(job.slot!)
      meanJobMs = 0.8 * meanJobMs + 0.2 * (performance.now() - job.startedAtMs)
      job.resolve(true)
    }
    running = running.filter(({ ended }) => !ended)
  }

  /** Lets in who waits. While a prompt is computed nobody: what comes after it may begin with the same tokens. */
  function admit(): void {
    while (waiting.length > 0 && !running.some(isPrefilling)) {
      const { task } = waiting[0]!
      const slot = slots.take(task.tokens, task.sharesPrefix)
      if (slot === undefined) return
      const job = waiting.shift()!
      Object.assign(job, { slot, startedAtMs: performance.now() })
      running.push(job)
      tell(job, () => task.begin(executor, slot.sequence, slot.sequence.length))
      if (task.maxSteps <= 0) end(job, 'length')
    }
  }

  async function computePiece(job: Job): Promise<void> {
    const { tokens, signal } = job.task
    const rest = Uint32Array.from(tokens.slice(held(job), -1))
    const piece = running.length > 1 ? rest.subarray(0, chunkTokens) : rest
    let numDone = 0
    const onProgress = (numTokens: number) => {
      chunkTokens = Math.max(chunkTokens, numTokens - numDone)
      numDone = numTokens
    }
    try {
      await executor.append(job.slot!.sequence, piece, { signal, onProgress })
    } catch (error) {
      if (!(signal.aborted && isBrasaError(error) && error.code === 'aborted')) throw error
    }
  }

  function deliver(rows: readonly Job[], results: readonly StepResult[]): void {
    for (const [index, job] of rows.entries()) {
      const result = results[index]!
      if (job.ended) continue
      job.numRead++
      job.slot!.tokens.push(result.token)
      tell(job, () => job.task.take(result))
      if (job.numRead === job.task.maxSteps) end(job, 'length')
    }
  }

  /** Steps of the same rows until one of them ends or somebody waits. Nothing is in flight before and after. */
  async function takeSteps(rows: readonly Job[]): Promise<void> {
    const inFlight: Promise<readonly StepResult[]>[] = []
    const [feed, ...otherFeeds] = new Set(rows.map(({ task }) => task.feed))
    // A backend feeds all rows by itself or none.
    const alone = feed === 'seen' || otherFeeds.length > 0
    const most = alone ? 1 : lookahead
    let numIssued = 0
    let numRead = 0

    const issue = () => {
      const step = executor.step(
        rows.map(({ slot, task, numRead: numReadOfRow }) => ({
          sequence: slot!.sequence,
          // After other rows the backend does not have the token at hand.
          ...(inFlight.length === 0 && (numIssued === 0 || alone) && { token: slot!.tokens.at(-1)! }),
          ...task.row(numReadOfRow + inFlight.length),
        })),
      )
      // Those behind one that failed fail too; it is read first.
      step.catch(() => {})
      inFlight.push(step)
      numIssued++
    }
    const wanted = () => {
      if (rows.some(({ ended }) => ended)) return 0
      // Steps behind an answer's first would only delay it.
      const depth = rows.some((job) => job.numRead === 0) ? 1 : most
      const left = Math.min(...rows.map(({ task, numRead: numReadOfRow }) => task.maxSteps - numReadOfRow))
      return Math.min(depth, left, isWaitedFor() ? stepsBetweenPieces - numRead : left)
    }
    for (;;) {
      const depth = wanted()
      while (inFlight.length < depth) issue()
      const oldest = inFlight[0]
      if (!oldest) return
      const results = await oldest
      inFlight.shift()
      numRead++
      deliver(rows, results)
    }
  }

  async function work(): Promise<void> {
    for (;;) {
      retire()
      admit()
      if (running.length === 0) return
      const prefilling = running.find(isPrefilling)
      if (prefilling) await computePiece(prefilling)
      const rows = running.filter((job) => !job.ended && !isPrefilling(job))
      if (rows.length > 0) await takeSteps(rows)
    }
  }

  function fail(error: unknown): void {
    failed = true
    onFailure?.(error)
    for (const job of running) job.reject(error)
    for (const job of waiting) job.resolve(false)
    running = []
    waiting.length = 0
  }

  function wake(): void {
    if (isBusy || failed) return
    isBusy = true
    work()
      .catch(fail)
      .finally(() => {
        isBusy = false
        if (waiting.length > 0) wake()
      })
  }

  return {
    checkRoom() {
      if (waiting.length < maxWaiting) return
      const retryAfterMs = Math.ceil((meanJobMs * waiting.length) / executor.maxBatchSize)
      throw new BrasaError('queue_full', {
        message: `${waiting.length} requests wait already. Ask again in ${Math.ceil(retryAfterMs / 1000)} s.`,
        details: { retryAfterMs, numWaiting: waiting.length },
      })
    },
    run(task) {
      return new Promise((resolve, reject) => {
        if (failed) return resolve(false)
        const stop = () => {
          end(job, 'abort')
          const place = waiting.indexOf(job)
          if (place < 0) return
          waiting.splice(place, 1)
          job.resolve(true)
        }
        const settled = () => task.signal.removeEventListener('abort', stop)
        const job: Job = {
          ...{ task, numRead: 0, startedAtMs: 0, ended: false },
          resolve: (ran) => {
            settled()
            resolve(ran)
          },
          reject: (error) => {
            settled()
            reject(error)
          },
        }
        waiting.push(job)
        task.signal.addEventListener('abort', stop, { once: true })
        if (task.signal.aborted) stop()
        else wake()
      })
    },
  }
}
