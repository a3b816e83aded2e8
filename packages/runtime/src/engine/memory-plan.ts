import type { LinearPrecision, MemoryInfo } from '../backends/executor.ts'
import type { TransformerSpec } from '../backends/transformer-spec.ts'
import { BrasaError } from '../errors.ts'
import type { GgufHeader } from '../formats/gguf.ts'

/** What a backend takes for a model, and how much there is of it here. */
export interface BackendMemory {
  readonly backend: 'webgpu' | 'wasm' | 'ort'
  estimate(
    spec: TransformerSpec,
    tensors: GgufHeader['tensors'],
    contextLength: number,
    linears: LinearPrecision['format'] | undefined,
  ): MemoryInfo
  /** Where weights lie in buffers of their own: the largest one. */
  largestBufferBytes?(spec: TransformerSpec, tensors: GgufHeader['tensors']): number
  /** Bytes one buffer may have. */
  readonly maxBufferBytes?: number
  /** Bytes in all, as far as it is known. */
  readonly maxBytes?: number
  /** Why the backend cannot be used at all, in a sentence. */
  readonly unavailable?: string
}

export interface MemoryPlan {
  /** Tokens. */
  readonly contextLength: number
  readonly memory: MemoryInfo
  /** Why the model cannot be loaded. */
  readonly problem?: BrasaError
}

export interface MemoryWishes {
  readonly contextLength?: number | undefined
  readonly linears?: LinearPrecision['format'] | undefined
}

/** Shorter than this is no conversation. */
const leastContextLength = 2048

/** GiB, as Chromium rounds it down to powers of two; elsewhere nothing is known. */
const deviceMemory = () => (globalThis.navigator as { deviceMemory?: number } | undefined)?.deviceMemory

/** A page should leave the rest to others: a default context keeps the model within a quarter of the device's memory. */
const defaultBudgetBytes = () => ((deviceMemory() ?? 8) * 2 ** 30) / 4

/** A device that says 8 may have more. */
export function knownDeviceBytes(): number | undefined {
  const gibibytes = deviceMemory()
  return gibibytes === undefined || gibibytes >= 8 ? undefined : gibibytes * 2 ** 30
}

/**
 * Chooses a context length and says what memory the model will take with it: the wish, else the largest of 2,048, 4,096, 8,192, …
 * and the model's own that keeps it within a quarter of the device's memory.
 * @throws BrasaError `invalid_request` for a wish beyond what the model was trained for
 */
export function planMemory(
  spec: TransformerSpec,
  tensors: GgufHeader['tensors'],
  backend: BackendMemory,
  { contextLength: wanted, linears }: MemoryWishes,
): MemoryPlan {
  checkContextLength(wanted, spec)
  const estimate = (contextLength: number) => backend.estimate(spec, tensors, contextLength, linears)
  const budget = Math.min(defaultBudgetBytes(), backend.maxBytes ?? Number.POSITIVE_INFINITY)
  const lengths = wanted === undefined ? contextLengths(spec.contextLength) : [wanted]
  const contextLength = lengths.findLast((length) => totalBytes(estimate(length)) <= budget) ?? lengths[0]!
  const memory = estimate(contextLength)
  const problem = problemOf(spec, tensors, backend, contextLength, memory)
  return { contextLength, memory, ...(problem === undefined ? {} : { problem }) }
}

export const totalBytes = ({ weightBytes, kvCacheBytes, otherBytes }: MemoryInfo): number =>
  weightBytes + kvCacheBytes + otherBytes

/** Powers of two below the model's own length, and that. */
function contextLengths(own: number): readonly number[] {
  const lengths: number[] = []
  for (let length = leastContextLength; length < own; length *= 2) lengths.push(length)
  return [...lengths, own]
}

function checkContextLength(wanted: number | undefined, spec: TransformerSpec): void {
  if (wanted === undefined || wanted <= spec.contextLength) return
  throw new BrasaError('invalid_request', {
    message: `"contextLength" is ${wanted}; this model was trained for ${spec.contextLength}. Ask for at most that.`,
    details: { parameter: 'contextLength', value: wanted, contextLength: spec.contextLength },
  })
}

function problemOf(
  spec: TransformerSpec,
  tensors: GgufHeader['tensors'],
  backendMemory: BackendMemory,
  contextLength: number,
  memory: MemoryInfo,
): BrasaError | undefined {
  const { backend, maxBytes, maxBufferBytes = Number.POSITIVE_INFINITY, unavailable } = backendMemory
  if (unavailable !== undefined) return new BrasaError('webgpu_unavailable', { message: unavailable })
  const where = { webgpu: 'WebGPU', wasm: 'WebAssembly', ort: 'ONNX Runtime' }[backend]
  const cannot = (message: string, neededBytes: number, limitBytes: number) =>
    new BrasaError('out_of_memory', {
      message,
      // `auto` takes another backend for it.
      details: {
        ...{ backend, contextLength, neededBytes, limitBytes },
        ...(backend === 'webgpu' ? { failedBackend: backend } : {}),
      },
    })
  const bufferBytes = backendMemory.largestBufferBytes?.(spec, tensors) ?? 0
  if (bufferBytes > maxBufferBytes) {
    return cannot(
      `This model has a matrix of ${mebibytes(bufferBytes)}, and this device's ${where} has buffers of at most ${mebibytes(maxBufferBytes)}. Choose a smaller model or quantisation, or another backend.`,
      bufferBytes,
      maxBufferBytes,
    )
  }
  const needed = totalBytes(memory)
  if (maxBytes === undefined || needed <= maxBytes) return undefined
  const advice =
    needed - memory.kvCacheBytes / 2 <= maxBytes && contextLength > leastContextLength
      ? 'Load it with a smaller contextLength, or choose a smaller model or quantisation.'
      : 'Choose a smaller model or quantisation.'
  return cannot(
    `On ${where} this model takes ${mebibytes(needed)} (${mebibytes(memory.weightBytes)} of weights, ${mebibytes(memory.kvCacheBytes)} for ${contextLength} tokens), and there are at most ${mebibytes(maxBytes)}. ${advice}`,
    needed,
    maxBytes,
  )
}

const mebibytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20).toLocaleString('en')} MiB`
