import fc from 'fast-check'
import { type GgmlType, ggmlTypes } from '../../../formats/ggml-types.ts'
import { dequantise } from '../../../quant/blocks.ts'
import { randomBlocks } from '../../reference/tiny-model.ts'
import { type BatchBuffers, createBatchBuffers, writeBatch } from '../batch.ts'
import { commonLayout, type DeviceLayout, deviceLayouts } from '../device-planes.ts'
import { repackRows } from '../device-repack.ts'
import type { Gpu } from '../gpu.ts'
import { uploaded } from '../test-gpu.ts'
import type { WeightMatrix } from '../weight-matrix.ts'

/** For kernel tests only: drawn matrices in planes, and the numbers they stand for. */

export interface MatrixCase {
  readonly name: string
  readonly type: GgmlType
  /** What holds it; the type's own unless it shares a matrix with others. */
  readonly layout: DeviceLayout
  /** A row's width is a multiple of it. */
  readonly widthUnit: number
}

const own = (type: GgmlType): MatrixCase => ({
  name: type,
  type,
  layout: deviceLayouts[type],
  widthUnit: ggmlTypes[type].blockSize,
})

/** As a software adapter has it. */
const wide = (type: GgmlType): MatrixCase => ({
  ...own(type),
  name: `${type}, wide`,
  layout: commonLayout([type], 'wide'),
})

const shared = (type: GgmlType, other: GgmlType): MatrixCase => ({
  ...own(type),
  name: `${type} beside ${other}`,
  layout: commonLayout([type, other]),
})

const floating = (type: 'F16' | 'F32', widthUnit: number): MatrixCase => ({
  ...own(type),
  name: `${type}, widths of ${widthUnit} n`,
  widthUnit,
})

export const q4Case = own('Q4_1')
export const q8Case = own('Q8_0')
export const f32Case = floating('F32', 1)

/** Every layout there is; float rows both as vec4 loads like them and not. */
export const matrixCases: readonly MatrixCase[] = [
  q4Case,
  own('Q4_0'),
  own('Q4_K'),
  own('Q5_0'),
  own('Q5_1'),
  own('Q5_K'),
  own('Q6_K'),
  q8Case,
  own('Q2_K'),
  own('Q3_K'),
  wide('Q4_0'),
  wide('Q8_0'),
  shared('Q4_1', 'Q8_0'),
  floating('F16', 8),
  floating('F16', 2),
  floating('F32', 8),
  f32Case,
]

/** A source of numbers that fast-check can replay from its seed. */
export function numbersOf(seed: number): { bits(): number; float(): number } {
  let state = seed | 1
  const bits = () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
  return { bits, float: () => bits() / 2 ** 31 - 1 }
}

export function floats(seed: number, count: number): Float32Array<ArrayBuffer> {
  const numbers = numbersOf(seed)
  return Float32Array.from({ length: count }, () => numbers.float())
}

/** A matrix of random blocks, all bit patterns of the integer formats included, and its values. */
export function randomMatrix(
  gpu: Gpu,
  { type, layout }: MatrixCase,
  numRows: number,
  numColumns: number,
  seed: number,
): { matrix: WeightMatrix; values: Float32Array } {
  const numbers = numbersOf(seed)
  const count = numRows * numColumns
  const file = randomBlocks(type, count, 0.05, () => numbers.bits() / 2 ** 32)
  const values = new Float32Array(count)
  dequantise(type, file, values)
  const { quants, scales } = repackRows(type, file, numRows, layout)
  return {
    matrix: { layout, numRows, numColumns, quants: uploaded(gpu, quants), scales: uploaded(gpu, scales) },
    values,
  }
}

const mostUnits = (widthUnit: number) => (widthUnit < 8 ? 70 : widthUnit < 256 ? 7 : 3)

/** Shapes are few in a test, since each compiles a pipeline. */
export function drawnShape({ widthUnit }: MatrixCase) {
  return fc.record({
    numRows: fc.integer({ min: 1, max: 150 }),
    numColumns: fc.integer({ min: 1, max: mostUnits(widthUnit) }).map((n) => n * widthUnit),
    batchRows: fc.integer({ min: 1, max: 7 }),
    seed: fc.integer(),
  })
}

/** A batch of rows with the given tokens. */
export function batchOf(gpu: Gpu, tokens: readonly number[]): BatchBuffers {
  const batch = createBatchBuffers(gpu, 'batch', tokens.length)
  writeBatch(
    gpu,
    batch,
    tokens.map((token, position) => ({ token, position, sequenceSlot: 0 })),
  )
  return batch
}
