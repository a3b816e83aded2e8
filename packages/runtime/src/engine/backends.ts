import { breathe } from '../backends/breathe.ts'
import type {
  ActivationPrecision,
  DecodeVariant,
  DeviceCounters,
  Executor,
  LinearPrecision,
} from '../backends/executor.ts'
import type { TransformerSpec } from '../backends/transformer-spec.ts'
import type { ThreadTimes } from '../backends/wasm/time-threads.ts'
import type { Weights } from '../backends/weights.ts'
import { BrasaError, type ErrorCode, toBrasaError } from '../errors.ts'
import type { BackendChoice } from '../protocol.ts'
import type { Candidate, Machine } from './backend-choice.ts'
import { storedTimes } from './measured-times.ts'
import { type BackendMemory, knownDeviceBytes } from './memory-plan.ts'

/** A backend that can run here. The only file that knows backends by name; each loads when it is used. */
export interface Backend {
  /** Steps that are worth having in flight. */
  readonly lookahead: number
  compile(spec: TransformerSpec, weights: Weights, options: CompileOptions): Promise<BackendExecutor>
  /** Gives back what was opened, where nothing was compiled. */
  close(): void
}

export interface CompileOptions {
  readonly contextLength: number
  readonly linears: LinearPrecision['format'] | undefined
  readonly precision: ActivationPrecision | undefined
  readonly threads: number | undefined
  readonly variant: DecodeVariant | undefined
  readonly signal: AbortSignal
  readonly onPhase: (phase: 'upload' | 'compile') => void
  readonly onUpload: (loadedBytes: number) => void
}

export interface BackendExecutor extends Executor {
  counters?(): DeviceCounters
}

type NamedBackend = Exclude<BackendChoice, 'auto'>

const backends: Record<NamedBackend, (reason?: string) => Promise<Backend>> = {
  webgpu: openWebGpu,
  wasm: async (reason = 'WebAssembly was asked for.') => {
    const [{ createWasmExecutor }, { threadsHere }] = await Promise.all([
      import('../backends/wasm/executor.ts'),
      import('../backends/wasm/threads.ts'),
    ])
    return {
      lookahead: 1,
      compile: async (spec, weights, { threads, ...options }) => {
        const executor = createWasmExecutor(spec, weights, {
          ...options,
          numThreads: threads && Math.min(threads, threadsHere()),
          remembered: storedTimes(),
          reason,
        })
        return breathing(await starting('wasm', executor))
      },
      close: () => {},
    }
  },
  ort: async (reason = 'ONNX Runtime was asked for.') => {
    const [{ loadOrt }, { createOrtExecutor }] = await Promise.all([
      import('../backends/ort/load-ort.ts'),
      import('../backends/ort/executor.ts'),
    ])
    await loadOrt()
    return {
      lookahead: 1,
      compile: (spec, weights, options) => createOrtExecutor(spec, weights, { ...options, reason }),
      close: () => {},
    }
  },
  // Never chosen by `auto`: it is for tests, a hundred times slower than what a person would wait for.
  reference: async () => {
    const { createReferenceExecutor } = await import('../backends/reference/executor.ts')
    return {
      lookahead: 1,
      compile: (spec, weights, options) =>
        createReferenceExecutor(spec, weights, { ...options, reason: 'The reference was asked for.' }),
      close: () => {},
    }
  },
}

/**
 * Opens a backend before anything is downloaded for it.
 * @param reason why `choice` was taken, where the caller did not ask for it by name
 * @throws BrasaError `webgpu_unavailable` that says how to turn it on
 */
export async function openBackend(choice: NamedBackend, reason?: string): Promise<Backend> {
  if (!Object.hasOwn(backends, choice)) {
    throw new BrasaError('invalid_request', {
      message: `There is no backend "${choice}". Known are: auto, ${Object.keys(backends).join(', ')}.`,
    })
  }
  return backends[choice](reason)
}

/**
 * What a backend takes for a model, and what this device has for it. Opens nothing; the reference takes what it gets.
 */
export async function backendMemory(
  backend: BackendMemory['backend'],
  precision?: ActivationPrecision,
): Promise<BackendMemory> {
  const deviceBytes = knownDeviceBytes()
  if (backend === 'ort') {
    const { estimateMemory } = await import('../backends/ort/memory-estimate.ts')
    const maxBytes = Math.min(wasmBytes, deviceBytes ?? wasmBytes)
    return { backend, maxBytes, estimate: estimateMemory }
  }
  if (backend === 'wasm') {
    const { estimateMemory } = await import('../backends/wasm/memory-estimate.ts')
    const maxBytes = Math.min(wasmBytes, deviceBytes ?? wasmBytes)
    const estimate: BackendMemory['estimate'] = (spec, tensors, contextLength) =>
      estimateMemory(spec, tensors, contextLength, precision)
    return { backend, maxBytes, estimate }
  }
  const [{ estimateMemory, largestBufferBytes }, { isSoftwareAdapter }, adapter] = await Promise.all([
    import('../backends/webgpu/memory-estimate.ts'),
    import('../backends/webgpu/gpu.ts'),
    globalThis.navigator?.gpu?.requestAdapter({ powerPreference: 'high-performance' }),
  ])
  const kind = { isSoftware: adapter ? isSoftwareAdapter(adapter.info) : false }
  const memory: BackendMemory = {
    backend,
    estimate: (spec, tensors, contextLength) => estimateMemory(spec, tensors, contextLength, kind),
    largestBufferBytes: (spec, tensors) => largestBufferBytes(spec, tensors, kind),
    ...(deviceBytes === undefined ? {} : { maxBytes: deviceBytes }),
  }
  if (!adapter) return { ...memory, unavailable: 'This browser does not offer WebGPU.' }
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits
  return { ...memory, maxBufferBytes: Math.min(maxBufferSize, maxStorageBufferBindingSize) }
}

/** WASM addresses 32 bits. */
const wasmBytes = 2 ** 32

/** This machine, as `auto` sees it. */
export const machine: Machine = {
  get cpu() {
    const { userAgent, hardwareConcurrency } = navigator
    return JSON.stringify([userAgent, hardwareConcurrency, globalThis.crossOriginIsolated === true])
  },
  async adapterName() {
    const { adapterName, requestAdapter } = await import('../backends/webgpu/gpu.ts')
    return adapterName((await requestAdapter()).info)
  },
  async timeLayer(candidate, { spec, tensors, ...options }, signal) {
    if (candidate === 'wasm') {
      const { chooseThreads } = await import('../backends/wasm/thread-choice.ts')
      const remembered = storedTimes<ThreadTimes>()
      return (await chooseThreads(spec, tensors, { ...options, signal, remembered })).layerMs
    }
    const { timeLayer } = await import('../backends/webgpu/time-layer.ts')
    return timeLayer(spec, tensors)
  },
}

async function openWebGpu(reason = 'WebGPU was asked for.'): Promise<Backend> {
  const [{ openGpu }, { createWebGpuExecutor }] = await Promise.all([
    import('../backends/webgpu/gpu.ts'),
    import('../backends/webgpu/executor.ts'),
  ])
  const gpu = await starting('webgpu', openGpu())
  return {
    lookahead: 4,
    compile: (spec, weights, options) =>
      starting(
        'webgpu',
        createWebGpuExecutor(spec, weights, { ...options, gpu, reason, remembered: storedTimes() }),
      ),
    close: () => gpu.device.destroy(),
  }
}

/** A step computes on the worker's own thread: pings, Stop and tokens on their way to the page have their turn behind each. */
function breathing(executor: Executor): Executor {
  return {
    ...executor,
    async step(rows) {
      const results = await executor.step(rows)
      await breathe()
      return results
    },
  }
}

/** What is wrong with the machine, or too much for a backend; others are about the file, the network or the person's wishes. */
const startFailures: Readonly<Record<Candidate, readonly ErrorCode[]>> = {
  webgpu: ['webgpu_unavailable', 'out_of_memory', 'device_lost', 'internal'],
  wasm: ['out_of_memory', 'unsupported_architecture', 'unsupported_operator', 'internal'],
}

/** Names the backend that failed to start in the error's details: `auto` then chooses another. */
async function starting<T>(failedBackend: Candidate, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (thrown) {
    const error = toBrasaError(thrown)
    if (!startFailures[failedBackend].includes(error.code)) throw error
    const { code, message, details, cause } = error
    throw new BrasaError(code, { message, details: { ...details, failedBackend }, cause })
  }
}
