import { BrasaError, throwIfAborted } from '../../errors.ts'
import { blockFormats, decodePlanes, dequantise, repack } from '../../quant/blocks.ts'
import { breathe } from '../breathe.ts'
import type { LinearPrecision } from '../executor.ts'
import type { TransformerSpec } from '../transformer-spec.ts'
import type { Weights } from '../weights.ts'
import { createEmbedding, type Embedding } from './embedding.ts'
import { blocksGraph, headGraph } from './graph.ts'
import type { WrittenGraph } from './graph-builder.ts'
import { type ErrorSums, f32Sink, int8Sink, type LinearMatrix, type MatrixSink } from './linear-matrix.ts'
import { type MatrixPart, type MatrixPlan, planSegments, type Segment, tensorOf } from './segments.ts'
import { type SharedInputs, sharedInputs } from './shared-inputs.ts'

export interface LoadedModel<Session> {
  readonly embedding: Embedding
  /** In the order in which they run; the last one is the head. */
  readonly sessions: readonly Session[]
  /** Blocks of each session but the head. */
  readonly blockCounts: readonly number[]
  readonly shared: SharedInputs
  readonly linears: LinearPrecision
  /** Of norms' gains and biases. */
  readonly vectorBytes: number
}

export interface LoadOptions<Session> {
  readonly format: LinearPrecision['format']
  readonly open: (graph: WrittenGraph) => Promise<Session>
  readonly close: (session: Session) => void
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((loadedBytes: number) => void) | undefined
}

/**
 * Reads the weights once, from start to end, and opens the session of each segment as soon as it is complete: the JS heap
 * holds the segments that the file is in the middle of, and no more.
 * @throws BrasaError `aborted`, `malformed_model`, `unsupported_architecture`; what `weights` and `open` throw
 */
export async function loadModel<Session>(
  spec: TransformerSpec,
  weights: Weights,
  { format, open, close, signal, onProgress }: LoadOptions<Session>,
): Promise<LoadedModel<Session>> {
  const segments = planSegments(spec, weights.tensors)
  const shared = sharedInputs(spec)
  const vectors = await readVectors(segments, weights, signal)
  const errors: ErrorSums = { signal: 0, noise: 0 }
  const embedding = createEmbedding(tensorOf(weights.tensors, spec.embedding.weight), spec)
  const fillings = segments.map((segment) => fillingOf(segment, format, errors))
  const sessions: (Session | undefined)[] = segments.map(() => undefined)
  let linearBytes = 0
  let loadedBytes = 0
  try {
    for await (const { tensor, byteOffset, bytes } of weights.stream(signal)) {
      throwIfAborted(signal)
      if (tensor.name === spec.embedding.weight) embedding.write(bytes, byteOffset)
      const users = fillings.filter((filling) => filling.holds(tensor.name))
      if (users.length > 0) {
        const { blockSize, blockBytes } = blockFormats[tensor.type]
        const count = (bytes.length / blockBytes) * blockSize
        const values = decodePlanes(repack(tensor.type, bytes), count)
        for (const filling of users) filling.write(tensor.name, values, (byteOffset / blockBytes) * blockSize)
      }
      for (const filling of users) {
        if (!filling.isComplete()) continue
        const index = fillings.indexOf(filling)
        const matrices = filling.take()
        for (const matrix of matrices.values()) {
          linearBytes += matrix.data.byteLength + (matrix.format === 'int8' ? matrix.scales.byteLength : 0)
        }
        sessions[index] = await open(graphOf(spec, segments[index]!, shared, matrices, vectors))
      }
      loadedBytes += bytes.length
      onProgress?.(loadedBytes)
      // Decoding and opening are this thread's: a worker that is silent for long is taken for dead.
      await breathe()
    }
    if (sessions.includes(undefined)) {
      throw new BrasaError('truncated_model', {
        message: 'The weights ended before every tensor was there. Get the file again.',
      })
    }
  } catch (error) {
    for (const session of sessions) if (session !== undefined) close(session)
    throw error
  }
  return {
    embedding,
    sessions: sessions as Session[],
    blockCounts: segments.flatMap((segment) => (segment.kind === 'blocks' ? [segment.blocks.length] : [])),
    shared,
    linears: {
      format,
      weightBytes: linearBytes,
      relativeError: errors.signal === 0 ? 0 : Math.sqrt(errors.noise / errors.signal),
    },
    vectorBytes: [...vectors.values()].reduce((sum, { byteLength }) => sum + byteLength, 0),
  }
}

function graphOf(
  { hiddenSize }: TransformerSpec,
  segment: Segment,
  shared: SharedInputs,
  matrices: ReadonlyMap<string, LinearMatrix>,
  vectors: ReadonlyMap<string, Float32Array>,
): WrittenGraph {
  const of = { matrix: (name: string) => matrices.get(name)!, vector: (name: string) => vectors.get(name)! }
  if (segment.kind === 'head') return headGraph(segment.head, segment.matrix, of)
  return blocksGraph(segment.blocks, hiddenSize, shared, of)
}

async function readVectors(segments: readonly Segment[], weights: Weights, signal: AbortSignal | undefined) {
  const vectors = new Map<string, Float32Array>()
  for (const { name, size } of segments.flatMap(({ vectors }) => vectors)) {
    const vector = new Float32Array(size)
    dequantise(tensorOf(weights.tensors, name).type, await weights.read(name, signal), vector)
    vectors.set(name, vector)
  }
  return vectors
}

/** The matrices of one segment while its tensors arrive. Memory is taken at the first piece. */
function fillingOf({ matrices }: Segment, format: LinearPrecision['format'], errors: ErrorSums) {
  let missing = matrices.reduce((sum, { outputSize, inputSize }) => sum + outputSize * inputSize, 0)
  const sinks = new Map<MatrixPlan, MatrixSink>()
  const parts = new Map<string, { plan: MatrixPlan; part: MatrixPart }[]>()
  for (const plan of matrices) {
    for (const part of plan.parts) {
      const { weight } = part.linear
      parts.set(weight, [...(parts.get(weight) ?? []), { plan, part }])
    }
  }
  function sinkOf(plan: MatrixPlan): MatrixSink {
    const { outputSize, inputSize } = plan
    const sink =
      sinks.get(plan) ??
      (format === 'f32' ? f32Sink(outputSize, inputSize) : int8Sink(outputSize, inputSize, errors))
    sinks.set(plan, sink)
    return sink
  }
  return {
    holds: (tensor: string) => parts.has(tensor),
    isComplete: () => missing === 0,
    /** `values` of a tensor from value number `start` on, of which a view may take a part. */
    write(tensor: string, values: Float32Array, start: number): void {
      for (const { plan, part } of parts.get(tensor)!) {
        const { inputSize } = plan
        const first = (part.linear.rows?.first ?? 0) * inputSize
        const from = Math.max(start, first)
        const to = Math.min(start + values.length, first + part.numRows * inputSize)
        if (from >= to) continue
        sinkOf(plan).write(values.subarray(from - start, to - start), part.row * inputSize + from - first)
        missing -= to - from
      }
    },
    /** Gives the matrices away, so that they can be collected once they are in a session. */
    take(): ReadonlyMap<string, LinearMatrix> {
      const taken = new Map([...sinks].map(([{ name }, sink]) => [name, sink.finish()]))
      sinks.clear()
      return taken
    },
  }
}
