import type { TensorInfo } from '../../formats/gguf.ts'
import type { ActivationPrecision } from '../executor.ts'
import { layerShape } from '../layer-sample.ts'
import type { Remembered } from '../remembered.ts'
import type { TransformerSpec } from '../transformer-spec.ts'
import { defaultPrecision } from './precision.ts'
import { threadsHere } from './threads.ts'
import { type ThreadTimes, timeThreads } from './time-threads.ts'

export interface ThreadChoice {
  readonly numThreads: number
  /** Milliseconds for one layer of a decode step with it. */
  readonly layerMs: number
  /** What was measured of each number of threads that was tried. */
  readonly times: ThreadTimes
}

export interface ThreadOptions {
  readonly precision?: ActivationPrecision | undefined
  /** The number asked for: it alone is timed. */
  readonly threads?: number | undefined
  readonly remembered: Remembered<ThreadTimes>
  readonly signal?: AbortSignal | undefined
}

/** More threads must win so much: those that are left are the page's. */
const worthwhile = 1.03

/**
 * How many threads compute a layer of this model fastest here: measured at the first load, then remembered. All cores are not
 * always best: two may share what they compute with, some may be slow ones, and memory serves only so many.
 * @throws BrasaError what `timeThreads` throws
 */
export async function chooseThreads(
  spec: TransformerSpec,
  tensors: ReadonlyMap<string, TensorInfo>,
  { precision = defaultPrecision, threads, remembered, signal }: ThreadOptions,
  most = threadsHere(),
  time: typeof timeThreads = timeThreads,
): Promise<ThreadChoice> {
  const counts = threads === undefined ? candidates(most) : [Math.min(threads, most)]
  const { userAgent, hardwareConcurrency } = globalThis.navigator ?? {}
  const shape = layerShape(spec, tensors)
  const key = JSON.stringify(['threads', userAgent, hardwareConcurrency, counts, precision, ...shape])
  // Without storage every load measures.
  const known = await remembered.get(key).catch(() => undefined)
  if (known !== undefined) return fastest(known)
  const choice = fastest(await time(spec, tensors, counts, { precision, signal }))
  // Several that lose to one speak of a machine that has other work just now: the next load measures again.
  if (choice.numThreads > 1 || counts.length === 1) {
    await remembered.set(key, choice.times).catch(() => undefined)
  }
  return choice
}

/** All that there may be, half as many, and one. */
function candidates(most: number): readonly number[] {
  return [...new Set([1, Math.ceil(most / 2), most])]
}

function fastest(times: ThreadTimes): ThreadChoice {
  const measured = Object.entries(times).map(([count, layerMs]) => ({ numThreads: Number(count), layerMs }))
  const best = measured.reduce((best, one) => (one.layerMs * worthwhile < best.layerMs ? one : best))
  return { ...best, times }
}
