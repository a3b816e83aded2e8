import { BrasaError, throwIfAborted } from '../../errors.ts'
import type { GgmlType } from '../../formats/ggml-types.ts'
import type { TensorInfo } from '../../formats/gguf.ts'
import { blockFormats, dequantise, repack } from '../../quant/blocks.ts'
import { convertPlanes } from '../../quant/convert.ts'
import type { PlaneLayout } from '../../quant/planes.ts'
import { breathe } from '../breathe.ts'
import type { LinearSpec, TransformerSpec } from '../transformer-spec.ts'
import type { Weights } from '../weights.ts'
import type { Heap } from './heap.ts'
import { type TileFormat, type TileTarget, tileBytes, tileFormat, writeTiles } from './tiles.ts'

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

/** Where rows of a tensor go. */
interface Part {
  readonly linear: LinearSpec
  readonly numRows: number
  /** The matrix's row for a row of this part. */
  readonly place: (row: number) => number
}

interface Filling extends Matrix {
  readonly layout: PlaneLayout
  readonly parts: readonly Part[]
}

const inOrder = (first: number) => (row: number) => first + row
/** Every other four rows, from `first` on. */
const inTurns = (first: number) => (row: number) => Math.floor(row / 4) * 8 + (row % 4) + first

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
  const fillings: Filling[] = []
  const plan = (numColumns: number, ...parts: Part[]) => {
    const filling = allocate(heap, weights.tensors, numColumns, parts)
    fillings.push(filling)
    return filling
  }
  const { hiddenSize, vocabSize } = spec
  const whole = (linear: LinearSpec, numRows: number): Part => ({ linear, numRows, place: inOrder(0) })
  const embedding = plan(hiddenSize, whole({ weight: spec.embedding.weight }, vocabSize))
  const isTied = spec.head.weight === spec.embedding.weight
  const head = isTied ? embedding : plan(hiddenSize, whole({ weight: spec.head.weight }, vocabSize))
  const blocks = spec.blocks.map(({ attention, mlp }): BlockMatrices => {
    const { numHeads, numKvHeads, headDim, query, key, value, output } = attention
    const [numQueries, numKeys] = [numHeads * headDim, numKvHeads * headDim]
    return {
      queryKeyValue: plan(
        hiddenSize,
        { linear: query, numRows: numQueries, place: inOrder(0) },
        { linear: key, numRows: numKeys, place: inOrder(numQueries) },
        { linear: value, numRows: numKeys, place: inOrder(numQueries + numKeys) },
      ),
      output: plan(numQueries, whole(output, hiddenSize)),
      gateUp: plan(
        hiddenSize,
        { linear: mlp.gate, numRows: mlp.intermediateSize, place: inTurns(0) },
        { linear: mlp.up, numRows: mlp.intermediateSize, place: inTurns(4) },
      ),
      down: plan(mlp.intermediateSize, whole(mlp.down, hiddenSize)),
    }
  })
  const vectors = await readVectors(spec, weights, heap, signal)
  await fillBiases(fillings, weights, heap, signal)
  await fillMatrices(fillings, weights, heap, signal, onProgress)
  return {
    ...{ embedding, head, blocks },
    vector: (name) => vectors.get(name)!,
    byteLength: heap.usedBytes - before,
  }
}

function allocate(
  heap: Heap,
  tensors: ReadonlyMap<string, TensorInfo>,
  numColumns: number,
  parts: readonly Part[],
): Filling {
  const types = parts.map(({ linear }) => tensorOf(tensors, linear.weight).type)
  const { format, layout } = tileFormat(types as [GgmlType, ...GgmlType[]])
  const numRows = Math.ceil(parts.reduce((sum, part) => sum + part.numRows, 0) / 8) * 8
  const hasBias = parts.some(({ linear }) => linear.bias !== undefined)
  return {
    address: heap.allocate(tileBytes(format, numRows, numColumns)),
    bias: hasBias ? heap.allocate(numRows * 4) : 0,
    ...{ format, layout, numRows, numColumns, parts },
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
  const sizes = new Map<string, number>([[spec.head.norm.weight, spec.hiddenSize]])
  for (const { attention, mlp } of spec.blocks) {
    const { numHeads, numKvHeads, headDim, queryNorm, keyNorm } = attention
    for (const norm of [attention.norm, attention.postNorm, mlp.norm, mlp.postNorm]) {
      if (norm !== undefined) sizes.set(norm.weight, spec.hiddenSize)
    }
    if (queryNorm !== undefined)
      sizes.set(queryNorm.weight, headDim * (queryNorm.over === 'all' ? numHeads : 1))
    if (keyNorm !== undefined) sizes.set(keyNorm.weight, headDim * (keyNorm.over === 'all' ? numKvHeads : 1))
  }
  const addresses = new Map<string, number>()
  for (const [name, size] of sizes) {
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

function tensorOf(tensors: ReadonlyMap<string, TensorInfo>, name: string): TensorInfo {
  const tensor = tensors.get(name)
  if (tensor !== undefined) return tensor
  throw new BrasaError('malformed_model', {
    message: `The model file has no tensor ${name}. Use a complete GGUF file.`,
    details: { tensor: name },
  })
}
