import { throwIfAborted } from '../../errors.ts'
import type { GgmlType } from '../../formats/ggml-types.ts'
import { blockFormats, dequantise, repack } from '../../quant/blocks.ts'
import { convertPlanes } from '../../quant/convert.ts'
import type { Planes } from '../../quant/planes.ts'
import { breathe } from '../breathe.ts'
import type { TransformerSpec } from '../transformer-spec.ts'
import type { Weights } from '../weights.ts'
import type { Heap } from './heap.ts'
import type { Kernels } from './kernels.ts'
import { type MatrixPlan, type Part, planMatrices, tensorOf, vectorSizes } from './matrix-plan.ts'
import { createRepack, type Repack } from './repack.ts'
import { type TileFormat, type TileTarget, tileBytes, writeTiles } from './tiles.ts'

/** Small next to the heartbeat that a worker owes its page, large next to what a breath costs. */
const breathEveryMs = 10

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

interface Piece {
  readonly type: GgmlType
  readonly bytes: Uint8Array
  /** Index in the tensor, row-major, of the first of its `count` values. */
  readonly firstValue: number
  readonly count: number
  /** Made when they are first asked for: several matrices may have rows of one tensor. */
  readonly planes: () => Planes
}

type Take = (piece: Piece) => void

export interface LoadMatricesOptions {
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((bytes: number) => void) | undefined
  /** On the heap: they repack what they know several times as fast. */
  readonly kernels?: Kernels
}

/**
 * Reads the weights once, from start to end, into memory that is allocated beforehand.
 * @throws BrasaError `malformed_model`, `unsupported_architecture`, `out_of_memory`, `aborted`; what `weights` throws
 */
export async function loadMatrices(
  spec: TransformerSpec,
  weights: Weights,
  heap: Heap,
  { signal, onProgress, kernels }: LoadMatricesOptions,
): Promise<ModelMatrices> {
  const repackBlocks = kernels && createRepack(heap, kernels)
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
  const vectors = new Map<string, number>()
  for (const [name, size] of vectorSizes(spec)) vectors.set(name, heap.allocate(size * 4))
  const byteLength = heap.usedBytes - before

  const takers = new Map<string, Take[]>()
  const takes = (name: string, take: Take) => {
    tensorOf(weights.tensors, name)
    takers.set(name, [...(takers.get(name) ?? []), take])
  }
  for (const [name, address] of vectors) {
    takes(name, ({ type, bytes, firstValue, count }) =>
      dequantise(type, bytes, heap.floats(address + firstValue * 4, count)),
    )
  }
  for (const filling of fillings.values()) {
    const target = targetOf(filling, heap)
    for (const part of filling.parts) {
      takes(part.linear.weight, matrixTaker(filling, part, target, repackBlocks))
      if (part.linear.bias !== undefined) takes(part.linear.bias, biasTaker(filling, part, heap))
    }
  }
  await readAll(weights, takers, signal, onProgress)
  return { ...{ embedding, head, blocks, byteLength }, vector: (name) => vectors.get(name)! }
}

function allocate(heap: Heap, plan: MatrixPlan): Filling {
  return {
    ...plan,
    address: heap.allocate(tileBytes(plan.format, plan.numRows, plan.numColumns)),
    bias: plan.hasBias ? heap.allocate(plan.numRows * 4) : 0,
  }
}

async function readAll(
  weights: Weights,
  takers: ReadonlyMap<string, readonly Take[]>,
  signal: AbortSignal | undefined,
  onProgress: ((bytes: number) => void) | undefined,
): Promise<void> {
  let loadedBytes = 0
  let breathedAt = performance.now()
  for await (const { tensor, byteOffset, bytes } of weights.stream(signal)) {
    throwIfAborted(signal)
    const { blockSize, blockBytes } = blockFormats[tensor.type]
    const firstValue = (byteOffset / blockBytes) * blockSize
    const count = (bytes.length / blockBytes) * blockSize
    let planes: Planes | undefined
    const piece: Piece = {
      ...{ type: tensor.type, bytes, firstValue, count },
      planes: () => {
        planes ??= repack(tensor.type, bytes)
        return planes
      },
    }
    for (const take of takers.get(tensor.name) ?? []) take(piece)
    loadedBytes += bytes.length
    if (performance.now() - breathedAt < breathEveryMs) continue
    onProgress?.(loadedBytes)
    // Repacking is this thread's: a worker that is silent for long is taken for dead.
    await breathe()
    breathedAt = performance.now()
  }
  onProgress?.(loadedBytes)
}

function matrixTaker(filling: Filling, part: Part, target: TileTarget, repackBlocks?: Repack): Take {
  const { first = 0, count: numRows = part.numRows } = part.linear.rows ?? {}
  const rowAt = (row: number) => (row >= first && row < first + numRows ? part.place(row - first) : undefined)
  return ({ type, bytes, firstValue, count, planes }) => {
    if (repackBlocks?.(type, bytes, firstValue, filling, rowAt)) return
    writeTiles(target, convertPlanes(planes(), filling.layout, count), firstValue, count, rowAt)
  }
}

function biasTaker({ bias, numRows }: Filling, { place }: Part, heap: Heap): Take {
  return ({ type, bytes, firstValue, count }) => {
    const values = new Float32Array(count)
    dequantise(type, bytes, values)
    const rows = heap.floats(bias, numRows)
    for (const [index, value] of values.entries()) rows[place(firstValue + index)] = value
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
