import { type LayerSample, sampleLayers } from '../layer-sample.ts'
import type { TransformerSpec } from '../transformer-spec.ts'
import type { Weights } from '../weights.ts'
import { createActivations } from './activations.ts'
import { createBatchBuffers, writeBatch } from './batch.ts'
import type { DecodeVariant } from './decode-variant.ts'
import type { StepBuffers } from './decoder-buffers.ts'
import { prepareSteps } from './decoder-plan.ts'
import { widthFor } from './device-planes.ts'
import { allocateWeights } from './device-weights.ts'
import { type Dispatch, encodeDispatch } from './dispatch.ts'
import { type Gpu, submit } from './gpu.ts'
import { createKvCache } from './kv-cache.ts'
import { fillWithNoise } from './random-planes.ts'
import { copyOnce } from './readback.ts'
import { createRopeTables } from './rope-tables.ts'

/** What was measured of the variants on one adapter. */
export interface VariantTimes {
  /** Milliseconds for one layer of a decode step. */
  readonly layerMs: Readonly<Partial<Record<DecodeVariant, number>>>
  /** Why a variant may not be used. */
  readonly refused: Readonly<Partial<Record<DecodeVariant, string>>>
}

export interface TimeVariantsOptions {
  /** `base` first: the others must give what it gives. */
  readonly candidates: readonly DecodeVariant[]
  /** Those of the model: kernels have them as constants, and are compiled once for both. */
  readonly contextLength: number
  readonly maxBatchSize: number
}

/** What one variant's results may differ from base's by, relative to the largest: sums are only taken in another order. */
export const variantTolerance = 1e-3

/** Below `unsplitPositions`, as most contexts of a conversation's beginning are. */
const numPositions = 96
/** What a run is meant to take: a GPU that slept needs some time to reach its speed. */
const runMs = 15
const mostPasses = 100
/** Of all runs together, once the kernels are compiled. */
const budgetMs = 350
/** A candidate this many times slower than the fastest is not run again. */
const hopeless = 2
/** On a software adapter the layers' arithmetic counts, not the memory: two layers of SmolLM2. */
const softwareBytes = 4 * 2 ** 20

interface Candidate {
  readonly variant: DecodeVariant
  readonly dispatches: readonly Dispatch[]
  /** The shortest that one pass took. */
  bestMs: number
}

/**
 * Runs a few layers of the model's shapes and encodings, with random weights, as each candidate builds a decode step: first
 * for what they compute, then in turn for how long they take.
 * @throws BrasaError `out_of_memory`, `malformed_model`; Error where base's kernels do not compile
 */
export async function timeVariants(
  gpu: Gpu,
  spec: TransformerSpec,
  { tensors }: Pick<Weights, 'tensors'>,
  { candidates, contextLength, maxBatchSize }: TimeVariantsOptions,
): Promise<VariantTimes> {
  const sample = sampleLayers(spec, tensors, gpu.isSoftware ? softwareBytes : undefined)
  const { buffers, destroy } = await allocateStep(gpu, sample, contextLength, maxBatchSize)
  const scratch: GPUBuffer[] = []
  const refused: Partial<Record<DecodeVariant, string>> = {}
  const prepare = async (variant: DecodeVariant): Promise<Candidate | undefined> => {
    try {
      const { short } = await prepareSteps(gpu, sample.spec, buffers, { variant, scratch, upTo: 'layers' })
      return { variant, dispatches: short, bestMs: Number.POSITIVE_INFINITY }
    } catch (error) {
      if (variant === 'base') throw error
      refused[variant] = `its kernels do not compile here (${error instanceof Error ? error.message : error})`
      return undefined
    }
  }
  try {
    const prepared = await Promise.all(candidates.map(prepare))
    await gpu.device.queue.onSubmittedWorkDone()
    const endsAt = performance.now() + budgetMs
    const right: Candidate[] = []
    let expected: Float32Array | undefined
    for (const candidate of prepared) {
      if (candidate === undefined) continue
      const hidden = await firstPositions(gpu, buffers, candidate)
      expected ??= hidden
      const error = largestError(hidden, expected)
      if (error <= variantTolerance) right.push(candidate)
      else if (candidate.variant === 'base') throw new Error('the kernels computed no usable numbers')
      else refused[candidate.variant] = `its results were off by ${error.toPrecision(2)} of the largest`
    }
    writeBatch(gpu, buffers.decodeBatch, [{ ...row, position: Math.min(numPositions, contextLength) - 1 }])
    await timeInTurn(gpu, right, endsAt)
    const numLayers = sample.spec.blocks.length
    const layerMs = Object.fromEntries(right.map(({ variant, bestMs }) => [variant, bestMs / numLayers]))
    return { layerMs, refused }
  } finally {
    destroy()
    for (const buffer of scratch) buffer.destroy()
  }
}

const row = { token: 3, sequenceSlot: 0 }

async function allocateStep(gpu: Gpu, sample: LayerSample, contextLength: number, maxBatchSize: number) {
  const { spec } = sample
  const held = Math.min(numPositions, contextLength)
  const buffers: StepBuffers = {
    weights: await allocateWeights(gpu, spec, sample.weights, widthFor(gpu, 'base')),
    cache: createKvCache(gpu, spec, { contextLength, numSlots: maxBatchSize, chunkSize: held }),
    activations: createActivations(gpu, spec, maxBatchSize, maxBatchSize),
    ropeTables: createRopeTables(gpu, spec, held),
    decodeBatch: createBatchBuffers(gpu, 'time variants', maxBatchSize),
  }
  fillWithNoise(gpu, buffers.weights)
  await buffers.cache.reserve(0, 0, held)
  return {
    buffers,
    destroy() {
      const { weights, cache, activations, ropeTables, decodeBatch } = buffers
      const targets = [...weights.targets.values()].flat()
      cache.destroy()
      ropeTables.destroy()
      for (const buffer of [
        ...targets.flatMap((one) =>
          one.kind === 'matrix' ? [one.matrix.quants, one.matrix.scales] : one.buffer,
        ),
        ...Object.values(activations),
        ...[decodeBatch.count, decodeBatch.rows],
      ]) {
        buffer.destroy()
      }
    },
  }
}

/** The residual stream behind two positions of an empty cache, of which the second attends to both. */
async function firstPositions(gpu: Gpu, buffers: StepBuffers, candidate: Candidate): Promise<Float32Array> {
  const encoder = gpu.device.createCommandEncoder({ label: 'time variants' })
  for (const { keys, values } of buffers.cache.layers) {
    encoder.clearBuffer(keys)
    encoder.clearBuffer(values)
  }
  submit(gpu, encoder.finish())
  for (const position of [0, 1]) {
    writeBatch(gpu, buffers.decodeBatch, [{ ...row, token: row.token + position, position }])
    candidate.bestMs = await timeRun(gpu, candidate.dispatches, 1)
  }
  const copying = gpu.device.createCommandEncoder({ label: 'time variants' })
  const { hidden } = buffers.activations
  const read = copyOnce(gpu, copying, hidden, buffers.weights.embedding.numColumns * 4)
  submit(gpu, copying.finish())
  return new Float32Array((await read()).buffer)
}

/** In turn, so that what slows the machine for a while slows all alike; a run that would not end in time is not begun. */
async function timeInTurn(gpu: Gpu, candidates: readonly Candidate[], endsAt: number): Promise<void> {
  const fastest = () => Math.min(...candidates.map(({ bestMs }) => bestMs))
  const numPasses = Math.max(1, Math.min(mostPasses, Math.round(runMs / fastest())))
  let running = candidates
  while (running.length > 1) {
    const timed: Candidate[] = []
    for (const candidate of running) {
      if (performance.now() + candidate.bestMs * numPasses > endsAt) continue
      const passMs = (await timeRun(gpu, candidate.dispatches, numPasses)) / numPasses
      candidate.bestMs = Math.min(candidate.bestMs, passMs)
      timed.push(candidate)
    }
    running = timed.filter(({ bestMs }) => bestMs <= hopeless * fastest())
  }
}

async function timeRun(gpu: Gpu, dispatches: readonly Dispatch[], numPasses: number): Promise<number> {
  const startedAt = performance.now()
  const encoder = gpu.device.createCommandEncoder({ label: 'time variants' })
  const pass = encoder.beginComputePass()
  for (let done = 0; done < numPasses; done++) {
    for (const dispatch of dispatches) encodeDispatch(gpu, pass, dispatch, 1)
  }
  pass.end()
  submit(gpu, encoder.finish())
  await gpu.device.queue.onSubmittedWorkDone()
  return performance.now() - startedAt
}

/** Largest difference, relative to the largest expected value; infinite where there is one that is no number. */
function largestError(actual: Float32Array, expected: Float32Array): number {
  const most = (values: Float32Array) => values.reduce((max, value) => Math.max(max, Math.abs(value)), 0)
  const error = most(actual.map((value, i) => value - expected[i]!)) / most(expected)
  return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error
}
