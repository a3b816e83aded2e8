import { throwIfAborted } from '../../errors.ts'
import { blockFormats, dequantise, repack } from '../../quant/blocks.ts'
import { convertPlanes } from '../../quant/convert.ts'
import { breathe } from '../breathe.ts'
import type { TransformerSpec } from '../transformer-spec.ts'
import type { Weights } from '../weights.ts'
import type { Heap } from './heap.ts'
import { type MatrixPlan, type Part, planMatrices, tensorOf, vectorSizes } from './matrix-plan.ts'
import { type TileFormat, type TileTarget, tileBytes, writeTiles } from './tiles.ts'

/** A matrix in WASM memory. */
export interface Matrix {
  readonly address: number
  readonly format: TileFormat
  /** A multiple of 8: the last tile may have rows of zeros. */
  readonly numRows: number
  readonly numColumns: number
  /** Of the rows' biases, in the order of the rows; 0 where there is none. */
  readonly bias: number
}

/** The weights of a model in WASM memory. Vectors are f32. */
export interface ModelMatrices {
  readonly embedding: Matrix
  readonly head: Matrix
  readonly blocks: readonly BlockMatrices[]
  /** Address of a norm's gain. */
  vector(name: string): number
  readonly byteLength: number
}

export interface BlockMatrices {
  /** Query, key and value rows. */
  readonly queryKeyValue: Matrix
  readonly output: Matrix
  /** Four gate rows and four up rows in turns, so that a tile has what is multiplied. */
  readonly gateUp: Matrix
  readonly down: Matrix
}

interface Filling extends MatrixPlan, Matrix {}

/**
 * Reads the weights once, from start to end, into memory that is allocated beforehand.
 * @throws BrasaError `malformed_model`, `unsupported_architecture`, `out_of_memory`, `aborted`; what `weights` throws
 */
export async function loadMatrices(
  spec: TransformerSpec,
  weights: Weights,
  heap: Heap,
  {
    signal,
    onProgress,
  }: { signal?: AbortSignal | undefined; onProgress?: ((bytes: number) => void) | undefined },
): Promise<ModelMatrices> {
  const before = heap.usedBytes
  const fillings = new Map<MatrixPlan, Filling>()
  const fill = (plan: MatrixPlan): Filling => {
    const filling = fillings.get(plan) ?? allocate(heap, plan)
    fillings.set(plan, filling)
    return filling
  }
  const plan = planMatrices(spec, weights.tensors)
  const embedding = fill(plan.embedding)
  const head = fill(plan.head)
  const blocks = plan.blocks.map(({ queryKeyValue, output, gateUp, down }) => ({
    queryKeyValue: fill(queryKeyValue),
    output: fill(output),
    gateUp: fill(gateUp),
    down: fill(down),
  }))
  const vectors = await readVectors(spec, weights, heap, signal)
  await fillBiases([...fillings.values()], weights, heap, signal)
  await fillMatrices([...fillings.values()], weights, heap, signal, onProgress)
  return {
    ...{ embedding, head, blocks },
    vector: (name) => vectors.get(name)!,
    byteLength: heap.usedBytes - before,
  }
}

function allocate(heap: Heap, plan: MatrixPlan): Filling {
  return {
    ...plan,
    address: heap.allocate(tileBytes(plan.format, plan.numRows, plan.numColumns)),
    bias: plan.hasBias ? heap.allocate(plan.numRows * 4) : 0,
  }
}

async function fillMatrices(
  fillings: readonly Filling[],
  weights: Weights,
  heap: Heap,
  signal: AbortSignal | undefined,
  onProgress: ((bytes: number) => void) | undefined,
): Promise<void> {
  const users = new Map<string, { target: TileTarget; filling: Filling; part: Part }[]>()
  for (const filling of fillings) {
    const target = targetOf(filling, heap)
    for (const part of filling.parts) {
      const { weight } = part.linear
      users.set(weight, [...(users.get(weight) ?? []), { target, filling, part }])
    }
  }
  let loadedBytes = 0
  for await (const { tensor, byteOffset, bytes } of weights.stream(signal)) {
    throwIfAborted(signal)
    const { blockSize, blockBytes } = blockFormats[tensor.type]
    const uses = users.get(tensor.name) ?? []
    if (uses.length > 0) {
      const planes = repack(tensor.type, bytes)
      const count = (bytes.length / blockBytes) * blockSize
      for (const { target, filling, part } of uses) {
        const { first = 0, count: numRows = part.numRows } = part.linear.rows ?? {}
        writeTiles(
          target,
          convertPlanes(planes, filling.layout, count),
          (byteOffset / blockBytes) * blockSize,
          count,
          (row) => (row >= first && row < first + numRows ? part.place(row - first) : undefined),
        )
      }
    }
    loadedBytes += bytes.length
    onProgress?.(loadedBytes)
    // Repacking is this thread's: a worker that is silent for long is taken for dead.
    await breathe()
  }
}

function targetOf({ address, format, numRows, numColumns }: Filling, { memory }: Heap): TileTarget {
  const byteLength = tileBytes(format, numRows, numColumns)
  return {
    ...{ format, numColumns },
    words: new Uint32Array(memory.buffer, address, byteLength / 4),
    floats: new Float32Array(memory.buffer, address, byteLength / 4),
    halves: new Uint16Array(memory.buffer, address, byteLength / 2),
  }
}

async function fillBiases(
  fillings: readonly Filling[],
  weights: Weights,
  heap: Heap,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const { parts, bias, numRows } of fillings) {
    for (const { linear, place, numRows: size } of parts) {
      if (linear.bias === undefined) continue
      const values = await readVector(weights, linear.bias, size, signal)
      const rows = heap.floats(bias, numRows)
      for (const [row, value] of values.entries()) rows[place(row)] = value
    }
  }
}

async function readVectors(
  spec: TransformerSpec,
  weights: Weights,
  heap: Heap,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, number>> {
  const addresses = new Map<string, number>()
  for (const [name, size] of vectorSizes(spec)) {
    const values = await readVector(weights, name, size, signal)
    const address = heap.allocate(size * 4)
    heap.floats(address, size).set(values)
    addresses.set(name, address)
  }
  return addresses
}

async function readVector(
  weights: Weights,
  name: string,
  size: number,
  signal: AbortSignal | undefined,
): Promise<Float32Array> {
  const values = new Float32Array(size)
  dequantise(tensorOf(weights.tensors, name).type, await weights.read(name, signal), values)
  return values
}
