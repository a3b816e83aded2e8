import { BrasaError } from '../errors.ts'
import { keyOf, type Mask, type MatchedAnswer, type MatcherLane, startMatcherLane } from './matcher-lane.ts'
import type { Structure } from './structure.ts'
import type { ConstraintVocabulary } from './vocabulary.ts'

export interface MatcherHost {
  /**
   * What may follow the answer's tokens.
   * @throws BrasaError `invalid_request` where the format does not compile or takes too long, `internal` for a token outside it,
   *   `queue_full` where too many other formats are being compiled
   */
  mask(answer: MatchedAnswer): Promise<Mask>
  free(id: number): void
}

/** As many as answers run together, each perhaps with a format of its own, and one more to try a new format in. */
const maxLanes = 5
/** For a lane that compiles nothing. */
const waitMs = 1000

/**
 * Workers that compute masks. A format may take as long to compile as it is allowed to, and is then stopped by ending its worker:
 * so a new one is compiled where no answer waits for masks, and several beside one another. Each lane has a copy of the vocabulary, some
 * tens of MB; there is one as long as formats come one after the other.
 */
export function createMatcherHost(vocabulary: ConstraintVocabulary): MatcherHost {
  const lanes = new Set<MatcherLane>()
  const answers = new Set<number>()
  const compiling = new Map<string, Promise<MatcherLane>>()
  /** Told when a lane may be free. */
  const waiting = new Set<() => void>()

  function tellWaiting(): void {
    for (const tell of waiting) tell()
    waiting.clear()
  }

  function startLane(): MatcherLane {
    const lane = startMatcherLane(vocabulary, () => {
      lanes.delete(lane)
      tellWaiting()
    })
    lanes.add(lane)
    return lane
  }

  /** A lane to compile in: best one that no answer waits for. */
  function freeLane(): MatcherLane | undefined {
    const able = [...lanes].filter(({ isCompiling }) => !isCompiling)
    const idle = able.find(({ isIdle }) => isIdle)
    if (idle) return idle
    if (lanes.size < maxLanes) return startLane()
    // One without answers is free in a second; meanwhile nobody's answer is held up.
    if ([...lanes].some(({ numAnswers }) => numAnswers === 0)) return undefined
    return able.sort((one, other) => one.numAnswers - other.numAnswers)[0]
  }

  async function compile(structure: Structure): Promise<MatcherLane> {
    const untilMs = performance.now() + waitMs
    try {
      for (;;) {
        // Taken in the same turn of the loop in which it is found: nobody else finds it free.
        const lane = freeLane()
        if (lane) {
          await lane.compile(structure)
          if (!lane.isStopped) return lane
        } else if (performance.now() < untilMs) {
          await laneMayBeFree(untilMs - performance.now())
        } else {
          throw tooManyFormats()
        }
      }
    } finally {
      compiling.delete(keyOf(structure))
      // Those that wait for this format come first.
      setTimeout(tellWaiting)
    }
  }

  function laneMayBeFree(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, withinMs)
      waiting.add(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  /** Those that ask for one format at once wait for one compilation. */
  function laneFor(structure: Structure): MatcherLane | Promise<MatcherLane> {
    const lane = [...lanes].find((each) => each.hasCompiled(structure) && !each.isCompiling)
    if (lane) return lane
    const key = keyOf(structure)
    const running = compiling.get(key) ?? compile(structure)
    compiling.set(key, running)
    return running
  }

  return {
    async mask(answer) {
      const { id, structure } = answer
      answers.add(id)
      while (answers.has(id)) {
        const lane = [...lanes].find(({ holds }) => holds(id)) ?? (await laneFor(structure))
        if (!answers.has(id)) break
        const mask = await lane.mask(answer)
        if (mask !== 'stopped') return mask
      }
      return undefined
    },
    free(id) {
      answers.delete(id)
      for (const lane of lanes) lane.free(id)
    },
  }
}

function tooManyFormats(): BrasaError {
  return new BrasaError('queue_full', {
    message: 'Too many new formats are being compiled. Ask again in a moment.',
    details: { retryAfterMs: 1000 },
  })
}
