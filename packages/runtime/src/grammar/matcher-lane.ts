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

/** What may follow an answer's tokens; undefined is all of it. */
export type Mask = Uint32Array | undefined

/** A worker that compiles grammars and computes masks, one request after the other. It ends where one fails or is late. */
export interface MatcherLane {
  readonly isStopped: boolean
  readonly isCompiling: boolean
  /** Neither holds an answer nor has anything to do. */
  readonly isIdle: boolean
  readonly numAnswers: number
  holds(id: number): boolean
  hasCompiled(structure: Structure): boolean
  /**
   * Does nothing in a lane that stopped before its turn.
   * @throws BrasaError `invalid_request` where it does not compile, or takes too long
   */
  compile(structure: Structure): Promise<void>
  /**
   * What may follow the answer's tokens, or that the lane stopped before it was asked.
   * @throws BrasaError `invalid_request` where it takes too long, `internal` for a token outside of the format
   */
  mask(answer: MatchedAnswer): Promise<Mask | 'stopped'>
  free(id: number): void
}

/** To compile a format, and for each mask. */
const workMs = 1000
/** To fetch the library and take in the vocabulary. */
const startMs = 30_000
/** Without an answer to hold, the worker and its grammars go. */
const idleMs = 60_000
/** As many as the worker keeps. */
const maxCompiled = 32

/** @param onStop called once, when the worker has ended */
export function startMatcherLane(vocabulary: ConstraintVocabulary, onStop: () => void): MatcherLane {
  const worker = new Worker(new URL('./matcher-worker.ts', import.meta.url), {
    type: 'module',
    name: 'brasa grammar',
  })
  /** How many of its tokens each answer's matcher has taken. */
  const taken = new Map<number, number>()
  const compiled = new Set<string>()
  let isStopped = false
  let numCompiling = 0
  let numTurns = 0
  let idleTimer: ReturnType<typeof setTimeout> | undefined
  let lastTurn: Promise<unknown> = ask({ type: 'start', vocabulary }, startMs)
  lastTurn.catch(() => {})

  function stop(): void {
    if (isStopped) return
    isStopped = true
    clearTimeout(idleTimer)
    taken.clear()
    worker.terminate()
    onStop()
  }

  function ask(request: MatcherRequest, withinMs: number): Promise<MatcherReply> {
    return new Promise((resolve, reject) => {
      const fail = (error: BrasaError) => {
        clearTimeout(timer)
        stop()
        reject(error)
      }
      const timer = setTimeout(() => fail(tooSlow(withinMs)), withinMs)
      worker.onerror = (event) => {
        event.preventDefault()
        fail(
          new BrasaError('internal', {
            message: `Structured output failed: ${event.message || 'its script did not load'}.`,
          }),
        )
      }
      worker.onmessage = ({ data }: MessageEvent<MatcherReply>) => {
        clearTimeout(timer)
        if (data.type === 'failed') fail(notCompiled(data.message))
        else resolve(data)
      }
      worker.postMessage(request)
    })
  }

  /** A worker that does not start fails those that wait for it; later on, what one asks is no matter of the next. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    clearTimeout(idleTimer)
    numTurns++
    const turn = lastTurn.then(work)
    const settled = () => {
      numTurns--
      if (numTurns === 0 && taken.size === 0 && !isStopped) idleTimer = setTimeout(stop, idleMs)
    }
    lastTurn = turn.then(settled, settled)
    return turn
  }

  function keepCompiled(structure: Structure): void {
    const key = keyOf(structure)
    compiled.delete(key)
    compiled.add(key)
    for (const oldest of compiled) {
      if (compiled.size <= maxCompiled) break
      compiled.delete(oldest)
    }
  }

  return {
    get isStopped() {
      return isStopped
    },
    get isCompiling() {
      return numCompiling > 0
    },
    get isIdle() {
      return taken.size === 0 && numTurns === 0
    },
    get numAnswers() {
      return taken.size
    },
    holds: (id) => taken.has(id),
    hasCompiled: (structure) => compiled.has(keyOf(structure)),
    async compile(structure) {
      numCompiling++
      try {
        await inTurn(async () => {
          if (isStopped) return
          await ask({ type: 'compile', structure }, workMs)
          keepCompiled(structure)
        })
      } finally {
        numCompiling--
      }
    },
    mask: ({ id, structure, tokens }) =>
      inTurn(async () => {
        if (isStopped) return 'stopped'
        const numTaken = taken.get(id)
        const { length } = tokens
        const request: MatcherRequest =
          numTaken === undefined
            ? { type: 'open', id, structure, tokens: tokens.slice() }
            : { type: 'accept', id, tokens: tokens.slice(numTaken) }
        const reply = await ask(request, workMs)
        if (numTaken === undefined) keepCompiled(structure)
        taken.set(id, length)
        if (reply.type === 'mask') return reply.mask
        const token = reply.type === 'refused' ? reply.token : -1
        throw new BrasaError('internal', {
          message: `Token ${token} is not of the format that the answer is held to.`,
        })
      }),
    free(id) {
      // One that is about to be opened comes before this.
      if (!taken.has(id) && numTurns === 0) return
      void inTurn(async () => {
        if (taken.delete(id)) await ask({ type: 'free', id }, workMs)
      }).catch(() => {})
    },
  }
}

export const keyOf = (structure: Structure) => JSON.stringify(structure)

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
