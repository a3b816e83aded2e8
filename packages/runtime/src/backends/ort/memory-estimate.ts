import type { TensorInfo } from '../../formats/gguf.ts'
import type { LinearPrecision, MemoryInfo } from '../executor.ts'
import type { TransformerSpec } from '../transformer-spec.ts'
import { capacityFor } from './kv-cache.ts'
import { f32Bytes, planSegments, type Segment, tensorOf } from './segments.ts'
import { windowOf } from './shared-inputs.ts'

/** Prompt tokens computed together. */
export const chunkSize = 64
const maxF32Bytes = 2 ** 30

/** ONNX Runtime's heap when it starts, and what of it is used before there is a model. */
const initialHeapBytes = 16 * 2 ** 20
const runtimeBytes = 10 * 2 ** 20
/** The heap grows by a fifth or 96 MiB, whichever is less: what is needed lies somewhere in the last step, half of it below the top. */
const overgrowth = 0.1
const maxOvergrowthBytes = 48 * 2 ** 20
/** Packed f32 weights leave gaps where they were read. */
const packedGaps = 1.06

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
  const format = linears ?? affordableFormat(f32Bytes(segments.flatMap(({ matrices }) => matrices)))
  const linearBytes = sum(segments.map((segment) => sessionBytes(segment, format)))
  const vectorBytes = sum(segments.flatMap(({ vectors }) => vectors).map(({ size }) => size * 4))
  const kvBytes = spec.blocks.map(({ attention }) => {
    const { numKvHeads, headDim } = attention
    return 8 * numKvHeads * headDim * capacityFor(contextLength, windowOf(attention))
  })
  const inHeap = linearBytes + vectorBytes
  const running = runtimeBytes + inHeap + runBytes(spec, segments, kvBytes, contextLength)
  const needed = Math.max(running, runtimeBytes + openingBytes(segments, tensors, format))
  const heap = needed + Math.min(overgrowth * needed, maxOvergrowthBytes)
  return {
    weightBytes: inHeap + tensorOf(tensors, spec.embedding.weight).byteLength,
    kvCacheBytes: sum(kvBytes),
    otherBytes: Math.round(Math.max(initialHeapBytes, heap)) - inHeap,
  }
}

function sessionBytes({ matrices }: Segment, format: LinearPrecision['format']): number {
  if (format === 'f32') return f32Bytes(matrices)
  return sum(matrices.map(({ outputSize, inputSize }) => outputSize * (inputSize + 4)))
}

/** The most that opening sessions takes: in the order in which their last tensors arrive, f32 matrices twice while they are packed, about half of a session's at a time. */
function openingBytes(
  segments: readonly Segment[],
  tensors: ReadonlyMap<string, TensorInfo>,
  format: LinearPrecision['format'],
): number {
  const order = new Map([...tensors.keys()].map((name, index) => [name, index]))
  const arrival = ({ matrices }: Segment) =>
    Math.max(...matrices.flatMap(({ parts }) => parts.map(({ linear }) => order.get(linear.weight)!)))
  let held = 0
  let most = 0
  for (const segment of [...segments].sort((a, b) => arrival(a) - arrival(b))) {
    const largest = Math.max(...segment.matrices.map((matrix) => f32Bytes([matrix])))
    const bytes = sessionBytes(segment, format)
    most = Math.max(most, held + bytes + (format === 'f32' ? Math.max(largest, bytes / 2) : 0))
    held += bytes * (format === 'f32' ? packedGaps : 1)
  }
  return most
}

/** A run over the last chunk of the context: the keys and values of a segment, as fed, and a block's scores, twice. */
function runBytes(
  { blocks }: TransformerSpec,
  segments: readonly Segment[],
  kvBytes: readonly number[],
  contextLength: number,
): number {
  let firstBlock = 0
  const fed = segments.map((segment) => {
    const count = segment.kind === 'blocks' ? segment.blocks.length : 0
    firstBlock += count
    return sum(kvBytes.slice(firstBlock - count, firstBlock))
  })
  const scores = blocks.map(
    ({ attention }) =>
      4 * attention.numHeads * chunkSize * (capacityFor(contextLength, windowOf(attention)) + chunkSize),
  )
  return Math.max(...fed) + 2 * Math.max(...scores)
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)

/** f32 where it fits into 1 GiB and a quarter of the device's memory; navigator.deviceMemory is in GiB, at most 8 or 32, and Chromium's alone. */
export function affordableFormat(linearBytes: number): LinearPrecision['format'] {
  const { deviceMemory = 8 } = (globalThis.navigator ?? {}) as { deviceMemory?: number }
  return linearBytes <= Math.min(maxF32Bytes, (deviceMemory * 2 ** 30) / 4) ? 'f32' : 'int8'
}
