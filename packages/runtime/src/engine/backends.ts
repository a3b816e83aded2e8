import type { DeviceCounters, Executor } from '../backends/executor.ts'
import type { TransformerSpec } from '../backends/transformer-spec.ts'
import type { Weights } from '../backends/weights.ts'
import { BrasaError } from '../errors.ts'
import type { BackendChoice } from '../protocol.ts'

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
  readonly signal: AbortSignal
  readonly onPhase: (phase: 'upload' | 'compile') => void
  readonly onUpload: (loadedBytes: number) => void
}

export interface BackendExecutor extends Executor {
  counters?(): DeviceCounters
}

const backends: Record<BackendChoice, () => Promise<Backend>> = {
  auto: () => openWebGpu('This browser offers WebGPU.'),
  webgpu: () => openWebGpu('WebGPU was asked for.'),
  ort: () => {
    throw new BrasaError('invalid_request', { message: 'not yet' })
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
 * @throws BrasaError `webgpu_unavailable` that says how to turn it on
 */
export async function openBackend(choice: BackendChoice): Promise<Backend> {
  if (!Object.hasOwn(backends, choice)) {
    throw new BrasaError('invalid_request', {
      message: `There is no backend "${choice}". Known are: ${Object.keys(backends).join(', ')}.`,
    })
  }
  return backends[choice]()
}

async function openWebGpu(reason: string): Promise<Backend> {
  const [{ openGpu }, { createWebGpuExecutor }] = await Promise.all([
    import('../backends/webgpu/gpu.ts'),
    import('../backends/webgpu/executor.ts'),
  ])
  const gpu = await openGpu()
  return {
    lookahead: 4,
    compile: (spec, weights, options) => createWebGpuExecutor(spec, weights, { ...options, gpu, reason }),
    close: () => gpu.device.destroy(),
  }
}
