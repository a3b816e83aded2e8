import type { Engine, LoadProgress } from '@brasa/runtime'
import { loadTokens } from '../../../../e2e/bench/prompts.mjs'
import type { BenchTest, Run, SystemResult } from '../../../../e2e/bench/schema.mjs'
import { summaryOf } from '../../../../e2e/bench/statistics.mjs'
import { isWorkload } from '../../../../e2e/bench/tests.mjs'
import { backendNames } from '../format/backend-names.ts'
import type { OfferedBackend } from '../state/backend.ts'
import { words } from '../words/words.ts'
import { loadTimed, runTest } from './measure.ts'
import { testName } from './test-name.ts'

/** Rounds that count, after one that does not. */
export const numRounds = 3

export interface BenchPlan {
  readonly model: string
  readonly backends: readonly OfferedBackend[]
  readonly tests: readonly BenchTest[]
}

export interface BenchEvents {
  /** A step begins: `done` of `total` are behind it; after a few there is an estimate of the time left. */
  readonly onStep: (step: { what: string; done: number; total: number; secondsLeft?: number }) => void
  readonly onLoad: (progress: LoadProgress) => void
  /** Tokens a second of the last few tokens of an answer, as they arrive; null where an answer begins. */
  readonly onSpeed: (tokensPerSecond: number | null) => void
  /** What a system has so far; again after each run. */
  readonly onSystem: (system: SystemResult, engine: Engine | undefined) => void
}

/**
 * Measures backends of this device, one after the other: two models at once may be more than a phone holds. One that fails is a row
 * that says so, and the others go on.
 * @throws what the signal was stopped with; what was measured until then has been told
 */
export async function runBench(plan: BenchPlan, signal: AbortSignal, events: BenchEvents): Promise<void> {
  const workloads = plan.tests.filter(isWorkload)
  const numLoads = plan.tests.some(({ kind }) => kind === 'load') ? numRounds : 0
  const perBackend = 1 + workloads.length * (numRounds + 1) + numLoads
  const clock = stepClock(plan.backends.length * perBackend, events)
  for (const [index, backend] of plan.backends.entries()) {
    clock.skipTo(index * perBackend)
    await measureBackend(plan, backend, numLoads, signal, clock.step, events)
  }
  clock.skipTo(plan.backends.length * perBackend)
}

type Step = <T>(what: string, act: () => Promise<T>) => Promise<T>

async function measureBackend(
  { model, tests }: BenchPlan,
  backend: OfferedBackend,
  numLoads: number,
  signal: AbortSignal,
  step: Step,
  events: BenchEvents,
): Promise<void> {
  const say = words.value.bench
  const name = `Brasa ${words.value.device.choices[backend]}`
  const runs = new Map<string, Run[]>()
  let system: SystemResult = { id: `brasa-${backend}`, name, status: 'ok', notes: [], tests: {} }
  let engine: Engine | undefined
  const tell = (changes: Partial<SystemResult>) => {
    const measured = [...runs].map(([id, runs]) => [
      id,
      { runs: [...runs], summary: summaryOf(runs.map(({ value }) => value)) },
    ])
    system = { ...system, ...changes, tests: Object.fromEntries(measured) }
    events.onSystem(system, engine)
  }
  const keep = (id: string, run: Run) => runs.set(id, [...(runs.get(id) ?? []), run])
  const load = () => loadTimed(model, backend, signal, events.onLoad)
  try {
    const first = await step(say.loading(name), load)
    engine = first.engine
    const { device } = engine
    if (device.backend !== backend)
      throw new Error(say.ranElsewhere(backendNames[device.backend], device.reason))
    tell({
      device: device.adapter,
      ...(device.linears && { detail: `linear layers in ${device.linears.format}` }),
      load: { cold: first.time, warm: [] },
    })
    const workloads = tests.filter(isWorkload)
    for (let round = 0; round <= numRounds; round++) {
      for (const [position, workload] of workloads.entries()) {
        const current = engine
        const run = await step(
          round === 0
            ? say.warmingUp(name, testName(workload))
            : say.inRound(name, testName(workload), round, numRounds),
          () => runTest(current, workload, round * workloads.length + position, signal, speedOf(events)),
        )
        if (round === 0) continue
        keep(workload.id, { round, ...run })
        tell({})
      }
    }
    tell({ memory: await engine.memory() })
    for (let round = 1; round <= numLoads; round++) {
      await engine.dispose()
      engine = undefined
      const again = await step(say.loadingAgain(name, round, numLoads), load)
      engine = again.engine
      keep('load', { round, value: again.time.totalMs, promptTokens: loadTokens, answerTokens: 1 })
      const { cold = again.time, warm = [] } = system.load ?? {}
      tell({ load: { cold, warm: [...warm, again.time] } })
    }
  } catch (error) {
    if (signal.aborted) throw error
    tell({ status: 'failed', reason: error instanceof Error ? error.message : String(error) })
  } finally {
    await engine?.dispose()
  }
}

/** Tokens of an answer that a live speed is of. */
const numLiveTokens = 4

function speedOf({ onSpeed }: BenchEvents): (numTokens: number, atMs: number) => void {
  const arrivals: { numTokens: number; atMs: number }[] = []
  return (numTokens, atMs) => {
    if (arrivals.length === 0) onSpeed(null)
    arrivals.push({ numTokens, atMs })
    const before = arrivals.findLast((arrival) => numTokens - arrival.numTokens >= numLiveTokens)
    if (before !== undefined && atMs > before.atMs)
      onSpeed(((numTokens - before.numTokens) / (atMs - before.atMs)) * 1000)
  }
}

/** Counts steps, and says about how long is left by the mean of those that are done. */
function stepClock(total: number, { onStep }: BenchEvents): { step: Step; skipTo: (done: number) => void } {
  let done = 0
  let elapsedMs = 0
  let numTimed = 0
  return {
    step: async (what, act) => {
      const secondsLeft = numTimed < 3 ? undefined : ((elapsedMs / numTimed) * (total - done)) / 1000
      onStep({ what, done, total, ...(secondsLeft !== undefined && { secondsLeft }) })
      const start = performance.now()
      const result = await act()
      elapsedMs += performance.now() - start
      numTimed += 1
      done += 1
      return result
    },
    skipTo: (step) => {
      done = step
    },
  }
}
