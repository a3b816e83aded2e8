import type { TensorInfo } from '../../formats/gguf.ts'
import type { LinearPrecision, MemoryInfo } from '../executor.ts'
import type { TransformerSpec } from '../transformer-spec.ts'
import { capacityFor } from './kv-cache.ts'
import { f32Bytes, planSegments, tensorOf } from './segments.ts'
import { windowOf } from './shared-inputs.ts'

const maxF32Bytes = 2 ** 30

/** What the heap is before there is a model in it, and what activations and opening sessions add at the least. */
const baseBytes = 32 * 2 ** 20

/** WASM memory grows by a fifth at a time, at most by this (Emscripten's MEMORY_GROWTH_GEOMETRIC_CAP). */
const maxGrowthBytes = 96 * 2 ** 20

/**
 * What an executor of this backend will hold, in bytes, once one sequence fills the context: within a tenth in all of what
 * its `memory()` then says. Nothing is read but the header.
 * @param linears what `createOrtExecutor` chooses where it is left out
 * @throws BrasaError `malformed_model` as `createOrtExecutor` does
 */
export function estimateMemory(
  spec: TransformerSpec,
  tensors: ReadonlyMap<string, TensorInfo>,
  contextLength: number,
  linears?: LinearPrecision['format'],
): MemoryInfo {
  const segments = planSegments(spec, tensors)
  const matrices = segments.flatMap(({ matrices }) => matrices)
  const format = linears ?? affordableFormat(f32Bytes(matrices))
  const linearBytes = matrices.reduce(
    (sum, { outputSize, inputSize }) =>
      sum + (format === 'f32' ? outputSize * inputSize * 4 : outputSize * (inputSize + 4)),
    0,
  )
  const vectorBytes = segments.flatMap(({ vectors }) => vectors).reduce((sum, { size }) => sum + size * 4, 0)
  const kvCacheBytes = spec.blocks.reduce((sum, { attention }) => {
    const { numKvHeads, headDim } = attention
    return sum + 8 * numKvHeads * headDim * capacityFor(contextLength, windowOf(attention))
  }, 0)
  return {
    weightBytes: linearBytes + vectorBytes + tensorOf(tensors, spec.embedding.weight).byteLength,
    kvCacheBytes,
    otherBytes: baseBytes + Math.min(linearBytes / 5, maxGrowthBytes),
  }
}

/** f32 where it fits into 1 GiB and a quarter of the device's memory; navigator.deviceMemory is in GiB, at most 8 or 32, and Chromium's alone. */
export function affordableFormat(linearBytes: number): LinearPrecision['format'] {
  const { deviceMemory = 8 } = (globalThis.navigator ?? {}) as { deviceMemory?: number }
  return linearBytes <= Math.min(maxF32Bytes, (deviceMemory * 2 ** 30) / 4) ? 'f32' : 'int8'
}
