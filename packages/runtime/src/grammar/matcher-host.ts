import { BrasaError } from '../errors.ts'
import type { MatcherReply, MatcherRequest } from './matcher-worker.ts'
import type { Structure } from './structure.ts'
import type { ConstraintVocabulary } from './vocabulary.ts'

/** An answer as its matcher has to see it: enough to make the matcher again. */
export interface MatchedAnswer {
  readonly id: number
  readonly structure: Structure
  readonly tokens: readonly number[]
}

export interface MatcherHost {
  /**
   * What may follow the answer's tokens.
   * @throws BrasaError `invalid_request` where the format does not compile or takes too long, `internal` for a token outside it
   */
  mask(answer: MatchedAnswer): Promise<Uint32Array | undefined>
  free(id: number): void
}

/** For one answer: to compile its grammar, and to compute a mask. */
const deadlineMs = 1500
/** To fetch the library and take in the vocabulary. */
const startDeadlineMs = 30_000
/** Without an answer to hold, the worker and its grammars go. */
const idleMs = 60_000

/** A worker that computes masks, one request after the other; started when needed, and again after a failure. */
export function createMatcherHost(vocabulary: ConstraintVocabulary): MatcherHost {
  let worker: Worker | undefined
  /** How many of its tokens each answer's matcher has taken, in this worker. */
  let taken = new Map<number, number>()
  let idleTimer: ReturnType<typeof setTimeout> | undefined
  let lastTurn: Promise<unknown> = Promise.resolve()

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = lastTurn.then(work)
    lastTurn = turn.catch(() => undefined)
    return turn
  }

  function stop(): void {
    worker?.terminate()
    worker = undefined
    taken = new Map()
  }

  /** Ends the worker where it fails or is late: it is of no more use to any answer, and the others are opened anew in the next. */
  function ask(to: Worker, request: MatcherRequest, withinMs: number): Promise<MatcherReply> {
    return new Promise((resolve, reject) => {
      const fail = (error: BrasaError) => {
        clearTimeout(timer)
        stop()
        reject(error)
      }
      const timer = setTimeout(() => fail(tooSlow(withinMs)), withinMs)
      to.onerror = (event) => {
        event.preventDefault()
        fail(
          new BrasaError('internal', {
            message: `Structured output failed: ${event.message || 'its script did not load'}.`,
          }),
        )
      }
      to.onmessage = ({ data }: MessageEvent<MatcherReply>) => {
        clearTimeout(timer)
        if (data.type === 'failed') fail(notCompiled(data.message))
        else resolve(data)
      }
      to.postMessage(request)
    })
  }

  async function started(): Promise<Worker> {
    if (worker) return worker
    const starting = new Worker(new URL('./matcher-worker.ts', import.meta.url), {
      type: 'module',
      name: 'brasa grammar',
    })
    worker = starting
    await ask(starting, { type: 'start', vocabulary }, startDeadlineMs)
    return starting
  }

  function restWhenIdle(): void {
    clearTimeout(idleTimer)
    if (taken.size === 0) idleTimer = setTimeout(() => void inTurn(async () => stop()), idleMs)
  }

  return {
    mask: ({ id, structure, tokens }) =>
      inTurn(async () => {
        clearTimeout(idleTimer)
        const to = await started()
        const numTaken = taken.get(id)
        const { length } = tokens
        const request: MatcherRequest =
          numTaken === undefined
            ? { type: 'open', id, structure, tokens: tokens.slice() }
            : { type: 'accept', id, tokens: tokens.slice(numTaken) }
        const reply = await ask(to, request, deadlineMs)
        taken.set(id, length)
        if (reply.type === 'mask') return reply.mask
        const token = reply.type === 'refused' ? reply.token : -1
        throw new BrasaError('internal', {
          message: `Token ${token} is not of the format that the answer is held to.`,
        })
      }),
    free(id) {
      void inTurn(async () => {
        if (worker && taken.delete(id)) await ask(worker, { type: 'free', id }, deadlineMs)
        restWhenIdle()
      }).catch(() => {})
    },
  }
}

function tooSlow(withinMs: number): BrasaError {
  return new BrasaError('invalid_request', {
    message: `The format takes more than ${withinMs / 1000} s to compile or to follow. Make it simpler: fewer alternatives, shorter counts.`,
  })
}

function notCompiled(complaint: string): BrasaError {
  const reason = /Check failed: .*? is false: (.*)|(EBNF.*)/s.exec(complaint)
  return new BrasaError('invalid_request', {
    message: `The format does not compile: ${(reason?.[1] ?? reason?.[2] ?? complaint).slice(0, 300)}`,
  })
}
