// Linear layers of every encoding on the kernels against float64, as tests.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type GgmlType, ggmlTypes } from '../../formats/ggml-types.ts'
import { blockFormats, dequantise, repack } from '../../quant/blocks.ts'
import { convertPlanes } from '../../quant/convert.ts'
import type { ActivationPrecision } from '../executor.ts'
import { geluTanh, silu } from '../reference/operations.ts'
import { randomBlocks, randomNumbers, weightsInMemory } from '../reference/tiny-model.ts'
import type { LinearSpec, TransformerSpec } from '../transformer-spec.ts'
import { createHeap, type Heap } from './heap.ts'
import { compileKernels, type FeatureSet } from './kernels.ts'
import { loadMatrices, type Matrix } from './matrices.ts'
import { f32, writeProgram } from './program.ts'
import { startThreads, type Threads } from './threads.ts'
import { formatCodes, isFloat, tileFormat, tileRows } from './tiles.ts'

/** Rows of weights as a matrix of the kernels has them, with what float64 knows of them. */
interface Rows {
  readonly type: GgmlType
  /** f32 values (numRows, numColumns), as GGUF decodes them. */
  readonly values: Float64Array
  /** What a product's terms are at most, for each value: weights are computed with as scale * byte + minimum. */
  readonly sizes: Float64Array
  readonly bias: Float32Array | undefined
}

interface Case {
  readonly type: GgmlType
  readonly other: GgmlType
  readonly columnBlocks: number
  readonly heads: readonly [numHeads: number, numKvHeads: number, headDim: number]
  readonly intermediateSize: number
  readonly vocabSize: number
  /** Query, key and value, or gate and up, are rows of one tensor. */
  readonly isFused: boolean
  readonly hasBias: boolean
  readonly numRows: number
  readonly precision: ActivationPrecision
  readonly takesBytes: boolean
  readonly epilogues: readonly ['store' | 'add', 'silu' | 'gelu']
  readonly scale: number
  readonly numChunks: number
  readonly seed: number
}

const types = Object.keys(blockFormats) as GgmlType[]

const cases = (type: GgmlType, takesBytes: fc.Arbitrary<boolean>): fc.Arbitrary<Case> =>
  fc.record({
    type: fc.constant(type),
    other: fc.oneof(fc.constant(type), fc.constantFrom(...types)),
    columnBlocks: fc.integer({ min: 1, max: 5 }),
    heads: fc.constantFrom([1, 1, 4], [3, 1, 12], [2, 2, 20], [6, 2, 8]),
    intermediateSize: fc.integer({ min: 1, max: 13 }).map((quarter) => quarter * 4),
    vocabSize: fc.integer({ min: 1, max: 45 }),
    isFused: fc.boolean(),
    hasBias: fc.boolean(),
    numRows: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 70 })),
    precision: fc.constantFrom('int8', 'int16', 'f32'),
    takesBytes,
    epilogues: fc.tuple(fc.constantFrom('store', 'add'), fc.constantFrom('silu', 'gelu')),
    scale: fc.double({ min: -2, max: 2, noNaN: true }).map(Math.fround),
    numChunks: fc.integer({ min: 1, max: 12 }),
    seed: fc.nat(),
  }) as fc.Arbitrary<Case>

/** Tests of each encoding on each number of threads. */
export function testLinears(featureSet: FeatureSet, threadCounts: readonly number[], numRuns: number): void {
  for (const count of threadCounts) {
    test.each(types)(
      `%s on ${count} threads, ${featureSet}`,
      async (type) => {
        const module = await compileKernels(featureSet)
        expect(module.featureSet).toBe(featureSet)
        let heap = createHeap(count > 1)
        let threads = await startThreads(module, heap, count, 2560)
        const inWhole = featureSet === 'plain' || threads.kernels.probeDot() === 127 * 255 * 4
        try {
          await fc.assert(
            fc.asyncProperty(cases(type, inWhole ? fc.boolean() : fc.constant(false)), async (one) => {
              if (heap.usedBytes > 2 ** 28) {
                threads.dispose()
                heap = createHeap(count > 1)
                threads = await startThreads(module, heap, count, 2560)
              }
              await check(heap, threads, one)
            }),
            { numRuns },
          )
        } finally {
          threads.dispose()
        }
      },
      60_000,
    )
  }
}

async function check(heap: Heap, threads: Threads, one: Case): Promise<void> {
  const { type, other, heads, intermediateSize, vocabSize, isFused, hasBias } = one
  const [numHeads, numKvHeads, headDim] = heads
  const random = randomNumbers(one.seed)
  const unit = Math.max(ggmlTypes[type].blockSize, ggmlTypes[other].blockSize)
  // Kernels take vectors of four floats; two blocks of 256 are wide enough.
  const numColumns =
    unit === 1
      ? 4 * (3 * one.columnBlocks + 1)
      : unit * (unit === 256 ? 1 + (one.columnBlocks % 2) : one.columnBlocks)
  const tensors: { name: string; type: GgmlType; shape: number[]; bytes: Uint8Array }[] = []

  function tensor(name: string, type: GgmlType, shape: readonly [number, number]): LinearSpec {
    const bytes = randomBlocks(type, shape[0] * shape[1], 1 / Math.sqrt(shape[1]), random)
    tensors.push({ name, type, shape: [...shape], bytes })
    return { weight: name }
  }
  function biased(linear: LinearSpec, name: string, numRows: number): LinearSpec {
    if (!hasBias) return linear
    const values = Float32Array.from({ length: numRows }, () => random() * 4 - 2)
    tensors.push({ name, type: 'F32', shape: [numRows], bytes: new Uint8Array(values.buffer) })
    return { ...linear, bias: name }
  }
  /** Parts of one matrix: of one tensor, or each of its own. */
  function parts(name: string, sizes: readonly number[]): LinearSpec[] {
    const total = sizes.reduce((sum, size) => sum + size, 0)
    const whole = isFused ? tensor(name, type, [total, numColumns]) : undefined
    let first = 0
    return sizes.map((count, index) => {
      const own =
        whole !== undefined
          ? { ...whole, rows: { first, count } }
          : tensor(`${name}.${index}`, index === 1 ? other : type, [count, numColumns])
      first += count
      return biased(own, `${name}.${index}.bias`, count)
    })
  }

  const [query, key, value] = parts(
    'qkv',
    [numHeads, numKvHeads, numKvHeads].map((n) => n * headDim),
  )
  const [gate, up] = parts('gate_up', [intermediateSize, intermediateSize])
  const norm = { weight: 'norm', epsilon: 1e-5 }
  tensors.push({
    ...{ name: 'norm', type: 'F32', shape: [numColumns] },
    bytes: new Uint8Array(numColumns * 4),
  })
  const spec: TransformerSpec = {
    ...{ architecture: 'llama', hiddenSize: numColumns, vocabSize, contextLength: 64 },
    embedding: tensor('table', type, [vocabSize, numColumns]),
    blocks: [
      {
        attention: {
          ...{ numHeads, numKvHeads, headDim, scale: 1 },
          ...{ query: query!, key: key!, value: value! },
          output: tensor('output', 'F32', [numColumns, numHeads * headDim]),
        },
        mlp: {
          ...{ intermediateSize, activation: 'silu', gate: gate!, up: up! },
          down: tensor('down', 'F32', [numColumns, intermediateSize]),
        },
      },
    ],
    head: { norm, weight: 'table' },
  }
  const pieceBytes = 2000 + Math.floor(random() * 20_000)
  const matrices = await loadMatrices(spec, weightsInMemory(tensors, pieceBytes), heap, {})
  const block = matrices.blocks[0]!

  /** What a matrix of these linears is, in float64. */
  function rowsOf(...linears: LinearSpec[]): Rows[] {
    const found = linears.map((linear) => tensors.find(({ name }) => name === linear.weight)!)
    const { layout } = tileFormat(found.map(({ type }) => type) as [GgmlType, ...GgmlType[]])
    return linears.map((linear, index) => {
      const { type, shape, bytes } = found[index]!
      const count = shape[0]! * numColumns
      const values = new Float64Array(count)
      dequantise(type, bytes, values)
      const { scales } = convertPlanes(repack(type, bytes), layout, count)
      const stride = layout.hasMin ? 2 : 1
      const greatest = layout.format === 'q4' ? 15 : 255
      const sizes = values.map((value, i) => {
        if (layout.groupSize === 0) return Math.abs(value)
        const group = Math.floor(i / layout.groupSize) * stride
        return Math.abs(scales[group]!) * greatest + (layout.hasMin ? Math.abs(scales[group + 1]!) : 0)
      })
      const { first = 0, count: numRows = shape[0]! } = linear.rows ?? {}
      const [from, to] = [first * numColumns, (first + numRows) * numColumns]
      const bias = tensors.find(({ name }) => name === linear.bias)
      return {
        type,
        values: values.subarray(from, to),
        sizes: sizes.subarray(from, to),
        bias: bias && new Float32Array(bias.bytes.buffer),
      }
    })
  }

  const x = Float32Array.from({ length: one.numRows * numColumns }, () => (random() * 2 - 1) * 3)
  // A block of zeros, and one far larger than the others.
  if (random() < 0.3) x.fill(0, 0, Math.min(32, numColumns))
  if (random() < 0.3) for (let i = 0; i < Math.min(32, numColumns); i++) x[i]! *= 1e4
  const queries = rowsOf(query!, key!, value!)
  const [gates, ups] = rowsOf(gate!, up!)
  const [linear, gated] = one.epilogues
  checkLinear(heap, threads, one, block.queryKeyValue, queries, x, numColumns, linear)
  checkLinear(heap, threads, one, matrices.head, rowsOf(spec.embedding), x, numColumns, 'store')
  checkGated(heap, threads, one, block.gateUp, gates!, ups!, x, numColumns, gated)
}

const epilogues = { store: 0, add: 1, silu: 2, gelu: 3 } as const
const guard = 12345.5

/** Runs a matrix as forward-plan.ts does; output (numRows, stride), with a row behind it that must stay. */
function run(
  heap: Heap,
  { kernels, board }: Threads,
  { numRows, precision, scale, numChunks, takesBytes }: Case,
  matrix: Matrix,
  x: Float32Array,
  epilogue: keyof typeof epilogues,
  width: number,
  initial: (index: number) => number,
): { output: Float32Array; activations: Float64Array } {
  const { numColumns } = matrix
  const takesFloats = precision === 'f32' || isFloat(matrix.format)
  const numBytes = precision === 'int16' ? 2 : 1
  const rowsPerGroup = numRows === 1 ? 1 : 4
  const paddedRows = Math.ceil(numRows / rowsPerGroup) * rowsPerGroup
  const numBlocks = Math.ceil(numColumns / 32)
  const input = heap.allocate(x.byteLength)
  const floats = heap.allocate(paddedRows * numColumns * 4)
  const quants = heap.allocate(paddedRows * numBlocks * 64)
  const scales = heap.allocate(paddedRows * numBlocks * 4)
  const sums = heap.allocate(paddedRows * numBlocks * 8)
  const stride = width + 4
  const output = heap.allocate((numRows + 1) * stride * 4)
  heap.floats(input, x.length).set(x)
  heap.floats(output, (numRows + 1) * stride).fill(guard)
  for (let row = 0; row < numRows; row++) {
    const values = heap.floats(output + row * stride * 4, width)
    for (let i = 0; i < width; i++) values[i] = initial(row * width + i)
  }
  const numTiles = matrix.numRows / tileRows
  const program = writeProgram(heap, [
    {
      kind: 'normalise',
      numChunks: paddedRows / rowsPerGroup,
      fields: [
        ...[numRows, numColumns, input, numColumns * 4, 0, 0],
        ...(takesFloats ? [floats, 0, 0, 0] : [0, quants, scales, sums]),
        ...[rowsPerGroup, numBytes],
      ],
    },
    {
      kind: 'linear',
      numChunks: Math.min(numChunks, numTiles),
      fields: [
        ...[numRows, numColumns, numTiles, formatCodes[matrix.format], matrix.address, matrix.bias],
        ...(takesFloats ? [0, 0, 0, floats] : [quants, scales, sums, 0]),
        ...[rowsPerGroup, output, stride * 4, epilogues[epilogue], f32(scale)],
        ...[takesBytes ? 1 : 0, numBytes],
      ],
    },
  ])
  kernels.run(board, program.address, program.numOps)
  const result = heap.floats(output, (numRows + 1) * stride)
  const rows = Float32Array.from({ length: numRows * width }, (_, i) => {
    return result[Math.floor(i / width) * stride + (i % width)]!
  })
  for (let i = 0; i < result.length; i++) {
    const isOutside = i >= numRows * stride || i % stride >= width
    if (isOutside && result[i] !== guard)
      expect.fail(`${epilogue} writes to ${i}, beyond its rows of ${width}`)
  }
  return {
    output: rows,
    activations: takesFloats ? Float64Array.from(x) : quantised(x, precision === 'int16' ? 127 * 128 : 127),
  }
}

/** Blocks of 32 as whole numbers up to `largest`, each times its scale: in f32, as the rounding depends on every bit. */
function quantised(x: Float32Array, largest: number): Float64Array {
  const result = new Float64Array(x.length)
  for (let start = 0; start < x.length; start += 32) {
    const block = x.subarray(start, start + 32)
    const greatest = block.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    const inverse = greatest > 0 ? Math.fround(largest / greatest) : 0
    const step = Math.fround(greatest / largest)
    for (const [i, value] of block.entries()) {
      const scaled = Math.fround(value * inverse)
      // Ties go to the even number.
      const rounded = Math.abs(scaled % 1) === 0.5 ? 2 * Math.round(scaled / 2) : Math.round(scaled)
      result[start + i] = rounded * step
    }
  }
  return result
}

const epsilon = 2 ** -24

/** Product and how far rounding may move it. */
function product(rows: Rows, row: number, x: Float64Array, xRow: number, numColumns: number) {
  let value = 0
  let size = 0
  for (let i = 0; i < numColumns; i++) {
    const activation = x[xRow * numColumns + i]!
    value += rows.values[row * numColumns + i]! * activation
    size += rows.sizes[row * numColumns + i]! * Math.abs(activation)
  }
  const bias = rows.bias?.[row] ?? 0
  const error = epsilon * ((8 + Math.sqrt(numColumns)) * size + 2 * Math.abs(value) + 4 * Math.abs(bias))
  return { value: value + bias, error }
}

function checkLinear(
  heap: Heap,
  threads: Threads,
  one: Case,
  matrix: Matrix,
  parts: readonly Rows[],
  x: Float32Array,
  numColumns: number,
  epilogue: 'store' | 'add',
): void {
  const before = (index: number) => (epilogue === 'add' ? ((index * 37) % 11) - 5 : guard)
  const width = matrix.numRows
  const { output, activations } = run(heap, threads, one, matrix, x, epilogue, width, before)
  for (let xRow = 0; xRow < one.numRows; xRow++) {
    let at = xRow * width
    for (const part of parts) {
      for (let row = 0; row < part.values.length / numColumns; row++, at++) {
        const { value, error } = product(part, row, activations, xRow, numColumns)
        const added = epilogue === 'add' ? before(at) : 0
        expectNear(
          output[at]!,
          one.scale * value + added,
          Math.abs(one.scale) * error + 2 * epsilon * (Math.abs(added) + Math.abs(one.scale * value)),
          () => `${part.type} in ${matrix.format}, row ${row} of ${xRow}`,
        )
      }
    }
  }
}

function checkGated(
  heap: Heap,
  threads: Threads,
  one: Case,
  matrix: Matrix,
  gates: Rows,
  ups: Rows,
  x: Float32Array,
  numColumns: number,
  epilogue: 'silu' | 'gelu',
): void {
  const width = matrix.numRows / 2
  const { output, activations } = run(heap, threads, one, matrix, x, epilogue, width, () => guard)
  const activate = epilogue === 'silu' ? silu : geluTanh
  for (let xRow = 0; xRow < one.numRows; xRow++) {
    for (let row = 0; row < gates.values.length / numColumns; row++) {
      const gate = product(gates, row, activations, xRow, numColumns)
      const up = product(ups, row, activations, xRow, numColumns)
      const active = activate(gate.value)
      const error =
        // Neither is steeper than 1.13. An exponential's own error grows with what it is taken of.
        1.13 * gate.error * Math.abs(up.value) +
        Math.abs(active) * up.error +
        gate.error * up.error +
        epsilon * (16 + 4 * Math.abs(gate.value)) * Math.abs(gate.value * up.value)
      expectNear(
        output[xRow * width + row]!,
        active * up.value,
        error,
        () => `${gates.type} in ${matrix.format}, ${epilogue} of row ${row} of ${xRow}`,
      )
    }
  }
}

function expectNear(actual: number, expected: number, error: number, where: () => string): void {
  if (Math.abs(actual - expected) <= error + 1e-30) return
  expect.fail(`${where()}: ${actual} is not within ${error} of ${expected}`)
}
