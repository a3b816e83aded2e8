import type { ActivationPrecision, LayerTimes } from '../backends/executor.ts'
import { layerShape } from '../backends/layer-sample.ts'
import type { Remembered } from '../backends/remembered.ts'
import type { TransformerSpec } from '../backends/transformer-spec.ts'
import { BrasaError, throwIfAborted, toBrasaError } from '../errors.ts'
import type { TensorInfo } from '../formats/gguf.ts'
import { untilAborted } from '../storage/abort.ts'

/** What `auto` chooses from. */
export type Candidate = keyof LayerTimes

export interface ModelShape {
  readonly spec: TransformerSpec
  readonly tensors: ReadonlyMap<string, TensorInfo>
  readonly precision: ActivationPrecision | undefined
  /** Of the CPU, where they were asked for. */
  readonly threads?: number | undefined
}

/** The machine, as choosing sees it. */
export interface Machine {
  /** Whatever besides the GPU its times depend on: the browser, its cores and whether threads may share memory. */
  readonly cpu: string
  /** The GPU's name. @throws BrasaError `webgpu_unavailable` */
  adapterName(): Promise<string>
  timeLayer(candidate: Candidate, model: ModelShape, signal: AbortSignal): Promise<number>
}

/** What earlier loads measured on this device. */
export type MeasuredTimes = Remembered<LayerTimes>

export interface ChosenBackend {
  readonly backend: Candidate
  /** With both figures where there are two. */
  readonly reason: string
  readonly layerTimes?: LayerTimes
}

const names: Readonly<Record<Candidate, string>> = { webgpu: 'WebGPU', wasm: 'WebAssembly' }

/** Kernels that are not compiled by then would keep a person waiting. */
const gpuTimeoutMs = 5_000

/**
 * The faster of those that hold the model here, timed once and remembered. On a tie the GPU, which leaves the CPU to the page.
 * @throws BrasaError with `failedBackend` in its details where neither runs; `aborted`
 */
export async function chooseBackend(
  model: ModelShape,
  fitting: readonly Candidate[],
  machine: Machine,
  measured: MeasuredTimes,
  signal: AbortSignal,
): Promise<ChosenBackend> {
  const adapter = await attempt(machine.adapterName())
  throwIfAborted(signal)
  if ('error' in adapter) return { backend: 'wasm', reason: whyNot('webgpu', adapter.error) }
  const [only, ...others] = fitting
  if (only !== undefined && others.length === 0) {
    const other = only === 'wasm' ? 'webgpu' : 'wasm'
    return { backend: only, reason: `The model does not fit into ${names[other]}'s memory here.` }
  }
  const key = keyOf(adapter.value, machine.cpu, model)
  const known = await measured.get(key).catch(() => undefined)
  if (known !== undefined) return fasterOf(known)

  const time = async (candidate: Candidate) => {
    const result = await attempt(untilAborted(machine.timeLayer(candidate, model, signal), signal))
    throwIfAborted(signal)
    return result
  }
  // One after the other: a GPU that is software computes on the same cores.
  const wasm = await time('wasm')
  const timing = time('webgpu')
  const webgpu = await Promise.race([timing, tooLate()])
  const remember = async (times: LayerTimes) => {
    // Without storage every load measures.
    await measured.set(key, times).catch(() => undefined)
  }
  if ('error' in webgpu) {
    if ('error' in wasm) throw noneRuns(webgpu.error, wasm.error)
    // One that is only late counts from the next load on.
    timing.then(
      async (late) => {
        if ('value' in late) await remember({ webgpu: late.value, wasm: wasm.value })
      },
      () => undefined,
    )
    return { backend: 'wasm', reason: whyNot('webgpu', webgpu.error) }
  }
  if ('error' in wasm) return { backend: 'webgpu', reason: whyNot('wasm', wasm.error) }
  const times = { webgpu: webgpu.value, wasm: wasm.value }
  await remember(times)
  return fasterOf(times)
}

function fasterOf(times: LayerTimes): ChosenBackend {
  const [backend, other] =
    times.wasm < times.webgpu ? (['wasm', 'webgpu'] as const) : (['webgpu', 'wasm'] as const)
  const ratio = times[other] / times[backend]
  const figures = `${inMs(times[backend])} against ${inMs(times[other])} for one layer`
  const much = ratio < 1.05 ? 'as fast as' : `${shortNumber(ratio)} times faster than`
  const reason = `${names[backend]} was ${much} ${names[other]} here: ${figures}.`
  return { backend, reason, layerTimes: times }
}

/** Two digits that count. */
const shortNumber = (value: number) => (value >= 10 ? value.toFixed(0) : String(Number(value.toPrecision(2))))
const inMs = (ms: number) => `${shortNumber(ms)} ms`

const whyNot = (candidate: Candidate, error: BrasaError) =>
  `${names[candidate]} could not be used: ${error.message}`

function noneRuns(webgpu: BrasaError, wasm: BrasaError): BrasaError {
  return new BrasaError(wasm.code, {
    message: `${wasm.message} ${whyNot('webgpu', webgpu)}`,
    details: { ...wasm.details, failedBackend: 'wasm' },
    cause: wasm,
  })
}

type Attempt<T> = { readonly value: T } | { readonly error: BrasaError }

function attempt<T>(work: Promise<T>): Promise<Attempt<T>> {
  return work.then(
    (value) => ({ value }),
    (error: unknown) => ({ error: toBrasaError(error) }),
  )
}

function tooLate(): Promise<{ readonly error: BrasaError }> {
  const error = new BrasaError('webgpu_unavailable', {
    message: `Its kernels were not compiled after ${gpuTimeoutMs / 1000} s.`,
  })
  return new Promise((resolve) => setTimeout(() => resolve({ error }), gpuTimeoutMs))
}

function keyOf(
  adapter: string,
  cpu: string,
  { spec, tensors, precision = 'int16', threads }: ModelShape,
): string {
  return JSON.stringify([adapter, cpu, precision, threads ?? 'measured', ...layerShape(spec, tensors)])
}
