import { throwIfAborted } from '../../errors.ts'
import { checkRollback, checkRoom, checkStep } from '../contract-checks.ts'
import type {
  AppendOptions,
  DecodeVariant,
  DeviceCounters,
  DeviceInfo,
  Executor,
  Sequence,
  StepResult,
  StepRow,
} from '../executor.ts'
import type { Remembered } from '../remembered.ts'
import type { TransformerSpec } from '../transformer-spec.ts'
import type { Weights } from '../weights.ts'
import { createDecoder } from './decode.ts'
import { type DeviceHealth, watchDevice } from './device-health.ts'
import { createDeviceModel, type DeviceModel } from './device-model.ts'
import { type Gpu, openGpu } from './gpu.ts'
import { createPacing, prefillChunk } from './prefill.ts'
import { createSequences, type SequenceState } from './sequences.ts'
import type { VariantTimes } from './time-variants.ts'
import { chooseVariant } from './variant-choice.ts'

export interface WebGpuOptions {
  /** A device that is open already; else one is opened. The executor destroys it when it is disposed of. */
  readonly gpu?: Gpu | undefined
  readonly reason?: string
  /** Tokens one sequence may hold; the model's own limit by default. */
  readonly contextLength?: number | undefined
  /** Sequences that may exist, and rows one step may have. */
  readonly maxBatchSize?: number
  /** How a decode step is built; if left out, the fastest here where `remembered` is given, else `base`. */
  readonly variant?: DecodeVariant | undefined
  /** Where what was measured is kept, and looked for first. */
  readonly remembered?: Remembered<VariantTimes> | undefined
  readonly signal?: AbortSignal | undefined
  readonly onPhase?: (phase: 'upload' | 'compile') => void
  /** Called with the bytes of file that are uploaded so far. */
  readonly onUpload?: (loadedBytes: number) => void
}

export interface WebGpuExecutor extends Executor {
  counters(): DeviceCounters
}

/**
 * Uploads the weights, compiles the kernels and returns the model ready to run.
 * @throws BrasaError `webgpu_unavailable`, `out_of_memory`, `device_lost`, `aborted`, and what `weights` throws
 */
export async function createWebGpuExecutor(
  spec: TransformerSpec,
  weights: Weights,
  options: WebGpuOptions = {},
): Promise<WebGpuExecutor> {
  const gpu = options.gpu ?? (await openGpu())
  const health = watchDevice(gpu)
  const { reason = 'This browser has WebGPU.', maxBatchSize = 4, signal, onPhase, onUpload } = options
  const contextLength = Math.min(options.contextLength ?? spec.contextLength, spec.contextLength)
  try {
    const decode = await chooseVariant(gpu, spec, weights, { ...options, contextLength, maxBatchSize })
    throwIfAborted(signal)
    health.check()
    const model = await createDeviceModel(gpu, spec, weights, {
      contextLength,
      maxBatchSize,
      variant: decode.variant,
      signal,
      onPhase,
      onUpload,
    })
    health.check()
    return executorOf(gpu, health, model, { reason, decode })
  } catch (error) {
    const explained = await health.explain(error)
    health.retire()
    gpu.device.destroy()
    throw explained
  }
}

function executorOf(
  gpu: Gpu,
  health: DeviceHealth,
  model: DeviceModel,
  chosen: Pick<DeviceInfo, 'reason' | 'decode'>,
): WebGpuExecutor {
  const { contextLength, maxBatchSize, chunkSize } = model
  const { activations, cache, ropeTables, sampling, weights } = model.buffers
  const sequences = createSequences(maxBatchSize)
  const decoder = createDecoder(gpu, model)
  const pacing = createPacing()
  let stepsInFlight = 0
  /** Work reaches the queue in the order it was asked for. */
  let lastTurn: Promise<unknown> = Promise.resolve()

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = lastTurn.then(() => {
      health.check()
      return work()
    })
    lastTurn = turn.catch(() => undefined)
    return turn
  }

  async function append(sequence: Sequence, tokens: Uint32Array, { signal, onProgress }: AppendOptions = {}) {
    const state = sequences.stateOf(sequence)
    checkRoom(state, tokens.length, model)
    await inTurn(async () => {
      decoder.forgetRows()
      for (let done = 0; done < tokens.length; ) {
        throwIfAborted(signal)
        const chunk = tokens.subarray(done, done + chunkSize)
        await prefillChunk(gpu, model, state, chunk, pacing, signal)
        health.check()
        done += chunk.length
        onProgress?.(done)
      }
    })
  }

  async function step(rows: readonly StepRow[]): Promise<readonly StepResult[]> {
    checkStep(rows.length, stepsInFlight, model)
    const states = rows.map(({ sequence }) => sequences.stateOf(sequence))
    for (const state of states) checkRoom(state, 1, model)
    const placed = rows.map((row, i) => ({ ...row, state: states[i]!, position: states[i]!.length }))
    for (const state of states) state.length += 1
    stepsInFlight += 1
    try {
      const read = await inTurn(() => decoder.enqueue(placed))
      const results = await read()
      health.check()
      return results
    } finally {
      stepsInFlight -= 1
    }
  }

  function newSequence(length: number): SequenceState {
    health.check()
    const state = sequences.create(length)
    sampling.reset(state.slot)
    return state
  }

  /** A failure while the device is lost is the loss. */
  const explained = <T>(work: Promise<T>) =>
    work.catch(async (error) => {
      throw await health.explain(error)
    })

  return {
    spec: model.spec,
    device: { backend: 'webgpu', adapter: gpu.adapterName, features: [...gpu.device.features], ...chosen },
    contextLength,
    maxBatchSize,
    counters: () => ({ ...gpu.counters }),
    memory: () => ({
      weightBytes: weights.byteLength,
      kvCacheBytes: cache.byteLength,
      otherBytes:
        sumOfSizes(Object.values(activations)) +
        ropeTables.byteLength +
        sampling.byteLength +
        model.plan().scratchBytes,
    }),
    createSequence() {
      return newSequence(0)
    },
    fork(sequence) {
      const source = sequences.stateOf(sequence)
      const copy = newSequence(source.length)
      copy.lastToken = source.lastToken
      cache.share(source.slot, copy.slot)
      return copy
    },
    rollback(sequence, length) {
      const state = sequences.stateOf(sequence)
      if (length === state.length) return
      checkRollback(state, length)
      state.length = cache.truncate(state.slot, length)
      state.lastToken = undefined
      decoder.forgetRows()
    },
    free(sequence) {
      const state = sequences.stateOf(sequence)
      cache.truncate(state.slot, 0)
      sequences.free(state)
      decoder.forgetRows()
    },
    configureSampling(sequence, settings, history) {
      health.check()
      sampling.configure(sequences.stateOf(sequence).slot, settings, history)
    },
    append: (sequence, tokens, options) => explained(append(sequence, tokens, options)),
    step: (rows) => explained(step(rows)),
    dispose() {
      health.retire()
      gpu.device.destroy()
    },
  }
}

const sumOfSizes = (buffers: readonly GPUBuffer[]) => buffers.reduce((sum, { size }) => sum + size, 0)
