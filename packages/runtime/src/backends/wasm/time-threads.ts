import type { TensorInfo } from '../../formats/gguf.ts'
import type { ActivationPrecision } from '../executor.ts'
import { sampleLayers } from '../layer-sample.ts'
import type { TransformerSpec } from '../transformer-spec.ts'
import { createBareDecoder } from './bare-decoder.ts'

export interface TimeThreadsOptions {
  readonly precision: ActivationPrecision
  readonly signal?: AbortSignal | undefined
}

/** Milliseconds for one layer of a decode step by the number of threads. */
export type ThreadTimes = Readonly<Record<number, number>>

/** Of all steps that are timed; besides them kernels are compiled, weights made and threads started. */
const budgetMs = 80
/** Before them: the browser compiles kernels better once they have run. */
const warmUpMs = 20
/** Where a conversation is most of the time. */
const position = 96

/**
 * Runs some layers of the model's shapes and encodings with each number of threads.
 * @param counts ascending: threads are started and never ended
 * @throws BrasaError `unsupported_operator`, `out_of_memory`, `malformed_model`, `aborted`, `internal` if a thread does not start
 */
export async function timeThreads(
  spec: TransformerSpec,
  tensors: ReadonlyMap<string, TensorInfo>,
  counts: readonly number[],
  { precision, signal }: TimeThreadsOptions,
): Promise<ThreadTimes> {
  const sample = sampleLayers(spec, tensors)
  const decoder = await createBareDecoder(sample.spec, sample.weights, {
    ...{ precision, signal, contextLength: position + 1, isShared: counts.at(-1)! > 1 },
  })
  try {
    const stepWith = async (numThreads: number) => {
      const plan = await decoder.planFor(numThreads)
      decoder.place(plan, position)
      return () => decoder.run(plan.body.address, plan.body.numOps)
    }
    const stepMs = await timeInOrder(counts, stepWith)
    const layers = sample.spec.blocks.length
    return Object.fromEntries(counts.map((count, index) => [count, stepMs[index]! / layers]))
  } finally {
    decoder.dispose()
  }
}

/**
 * The shortest time of a step with each count. One is run twice at least, and no longer than its share of the budget.
 * @param stepWith what prepares a step with a count; its own time is nobody's
 */
export async function timeInOrder(
  counts: readonly number[],
  stepWith: (count: number) => Promise<() => void>,
  now: () => number = () => performance.now(),
): Promise<readonly number[]> {
  const times: number[] = []
  for (const count of counts) {
    const step = await stepWith(count)
    if (times.length === 0) timeFor(step, warmUpMs, now)
    times.push(timeFor(step, budgetMs / counts.length, now))
  }
  return times
}

function timeFor(step: () => void, ms: number, now: () => number): number {
  const startedAt = now()
  let best = Number.POSITIVE_INFINITY
  for (let steps = 0, at = startedAt; steps < 2 || at + best <= startedAt + ms; steps++) {
    step()
    const endedAt = now()
    best = Math.min(best, endedAt - at)
    at = endedAt
  }
  return best
}
