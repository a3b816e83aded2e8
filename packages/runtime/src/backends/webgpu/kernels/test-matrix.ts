import fc from 'fast-check'
import { decodePlanes } from '../../../quant/blocks.ts'
import type { PlaneLayout } from '../../../quant/planes.ts'
import { type BatchBuffers, createBatchBuffers, writeBatch } from '../batch.ts'
import type { Gpu } from '../gpu.ts'
import { uploaded } from '../test-gpu.ts'
import type { WeightMatrix } from '../weight-matrix.ts'

/** For kernel tests only: drawn matrices in planes, and the numbers they stand for. */

export interface MatrixCase {
  readonly name: string
  readonly layout: PlaneLayout
  /** A row's width is a multiple of it. */
  readonly widthUnit: number
}

const q8 = (groupSize: 16 | 32, hasMin: boolean): MatrixCase => ({
  name: `q8, groups of ${groupSize}${hasMin ? ' with minimums' : ''}`,
  layout: { format: 'q8', groupSize, hasMin },
  widthUnit: groupSize,
})

const floating = (format: 'f16' | 'f32', widthUnit: number): MatrixCase => ({
  name: `${format}, widths of ${widthUnit} n`,
  layout: { format, groupSize: 0, hasMin: false },
  widthUnit,
})

export const q4Case: MatrixCase = {
  name: 'q4',
  layout: { format: 'q4', groupSize: 32, hasMin: true },
  widthUnit: 32,
}
export const q8Case = q8(32, false)
export const f32Case = floating('f32', 1)

/** Every layout there is; float rows both as vec4 loads like them and not. */
export const matrixCases: readonly MatrixCase[] = [
  q4Case,
  q8Case,
  q8(32, true),
  q8(16, false),
  q8(16, true),
  floating('f16', 8),
  floating('f16', 2),
  floating('f32', 8),
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

/** A matrix of random quants, all bit patterns of the integer formats included, and its values. */
export function randomMatrix(
  gpu: Gpu,
  layout: PlaneLayout,
  numRows: number,
  numColumns: number,
  seed: number,
): { matrix: WeightMatrix; values: Float32Array } {
  const numbers = numbersOf(seed)
  const count = numRows * numColumns
  const bitsEach = { q4: 4, q8: 8, f16: 16, f32: 32 }[layout.format]
  const float = () => new Uint32Array(new Float32Array([numbers.float()]).buffer)[0]!
  // Halves between 2^-7 and 2 in size, of either sign.
  const halves = () => (numbers.bits() & 0x9fff_9fff) | 0x2000_2000
  const word = { q4: numbers.bits, q8: numbers.bits, f16: halves, f32: float }[layout.format]
  const quants = Uint32Array.from({ length: Math.ceil((count * bitsEach) / 32) }, () => word() >>> 0)
  const numScales = layout.groupSize === 0 ? 0 : (count / layout.groupSize) * (layout.hasMin ? 2 : 1)
  const scales = Float32Array.from({ length: numScales }, () => numbers.float() / 64)
  return {
    matrix: {
      layout,
      numRows,
      numColumns,
      quants: uploaded(gpu, quants),
      scales: uploaded(gpu, scales),
    },
    values: decodePlanes({ layout, quants, scales }, count),
  }
}

/** Shapes are few in a test, since each compiles a pipeline. */
export function drawnShape({ widthUnit }: MatrixCase) {
  return fc.record({
    numRows: fc.integer({ min: 1, max: 150 }),
    numColumns: fc.integer({ min: 1, max: widthUnit < 8 ? 70 : 7 }).map((n) => n * widthUnit),
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
