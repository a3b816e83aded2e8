import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { matmul, rmsNorm, siluMul } from '../../reference/operations.ts'
import { createStorageBuffer } from '../gpu.ts'
import { downloadedFloats, largestError, runDispatches, testGpu, uploaded } from '../test-gpu.ts'
import { createGained, type GainedBuffer, gainedOffsets } from './gained.ts'
import { kvFixture } from './kv-fixture.ts'
import { prepareMatvec } from './matvec.ts'
import { numSquaresOf, type PairsEpilogue, prepareMatvecPairs } from './matvec-pairs.ts'
import { buildRopeTable, prepareRopeKvWrite } from './rope-kv.ts'
import { batchOf, floats, matrixCases, q4Case, randomMatrix } from './test-matrix.test-support.ts'

const variants = ['quads', 'parallel'] as const
const epsilon = 1e-5

/** Formats and widths whose rows are whole vec4s: what a norm can be folded into. */
const foldable = matrixCases.filter(({ widthUnit }) => widthUnit >= 8)

const shapes = fc.record({
  numRows: fc.integer({ min: 1, max: 40 }).map((n) => n * 8),
  numColumns: fc.integer({ min: 1, max: 5 }),
  batchRows: fc.integer({ min: 1, max: 3 }),
  seed: fc.nat(1e6),
})

describe.each(foldable)('pairs of $name', (matrixCase) => {
  const { widthUnit } = matrixCase
  test.each(variants)(
    '%s: a product with the norm before it, and one that leaves a norm to the next',
    async (variant) => {
      const gpu = await testGpu()
      await fc.assert(
        fc.asyncProperty(shapes, fc.constantFrom('store', 'glu'), async (drawn, kind) => {
          const { numRows, batchRows, seed } = drawn
          const innerSize = drawn.numColumns * widthUnit
          const hiddenSize = Math.max(64, widthUnit)
          const batch = batchOf(gpu, new Array(batchRows).fill(0))
          const gained = createGained(gpu, hiddenSize, 4)
          const down = randomMatrix(gpu, matrixCase, hiddenSize, innerSize, seed)
          const up = randomMatrix(gpu, matrixCase, numRows, hiddenSize, seed + 1)
          const x = floats(seed + 2, batchRows * innerSize)
          const hidden = floats(seed + 3, batchRows * hiddenSize)
          const gain = floats(seed + 4, hiddenSize)
          const bias = floats(seed + 5, numRows)
          const hiddenBuffer = uploaded(gpu, hidden)
          const outputSize = kind === 'glu' ? numRows / 2 : numRows
          const output = createStorageBuffer(gpu, 'output', batchRows * outputSize * 4)
          const add = await prepareMatvecPairs(gpu, {
            weights: down.matrix,
            input: uploaded(gpu, x),
            output: hiddenBuffer,
            epilogue: { kind: 'add', gain: uploaded(gpu, gain), gained },
            scale: 0.5,
            batch,
            variant,
          })
          const product = await prepareMatvecPairs(gpu, {
            weights: up.matrix,
            bias: uploaded(gpu, bias),
            input: gained.buffer,
            output,
            epilogue: { kind } as PairsEpilogue,
            norm: { buffer: gained, numSquares: numSquaresOf(down.matrix, variant), epsilon },
            batch,
            variant,
          })
          await runDispatches(gpu, [add, product], batchRows)

          const sum = matmul(down.values, x, batchRows, hiddenSize, innerSize).map(
            (v, i) => hidden[i]! + 0.5 * v,
          )
          const normed = rmsNorm(sum, gain, epsilon, batchRows, hiddenSize)
          const products = matmul(up.values, normed, batchRows, numRows, hiddenSize).map(
            (v, i) => v + bias[i % numRows]!,
          )
          const expected =
            kind === 'glu'
              ? rowsOf(products, numRows).flatMap((row) => [
                  ...siluMul(row.slice(0, outputSize), row.slice(outputSize)),
                ])
              : products
          expect(largestError(await downloadedFloats(gpu, hiddenBuffer, hidden.length), sum)).toBeLessThan(
            2e-5,
          )
          expect(largestError(await downloadedFloats(gpu, output, expected.length), expected)).toBeLessThan(
            1e-4,
          )
          expect(await squaresLeft(gained, numSquaresOf(down.matrix, variant))).toBeCloseTo(
            sum.subarray(0, hiddenSize).reduce((total, v) => total + v * v, 0),
            1,
          )
        }),
        { numRuns: 2 },
      )
    },
  )
})

test.each(variants)('%s: turns, stores and writes to the cache what the base kernels do', async (variant) => {
  const gpu = await testGpu()
  for (const [pairing, headDim, ropeDim, hasBias] of [
    ['adjacent', 64, 64, false],
    ['half', 64, 64, true],
    ['half', 12, 6, false],
    ['adjacent', 20, 0, true],
  ] as const) {
    const shape = { numHeads: 6, numKvHeads: 2, headDim, scale: 1 }
    const rows: [number, number][] = [
      [1, 77],
      [0, 3],
    ]
    const numRows = 10 * headDim
    const { matrix } = randomMatrix(gpu, q4Case, numRows, 96, headDim)
    const common = {
      weights: matrix,
      input: uploaded(gpu, floats(5, rows.length * 96)),
      ...(hasBias && { bias: uploaded(gpu, floats(6, numRows)) }),
    }
    const frequencies = Float64Array.from({ length: ropeDim / 2 }, (_, i) => 100 ** (-i / ropeDim))
    const ropeTable = uploaded(gpu, buildRopeTable(frequencies, 0, 100))
    const results = []
    for (const isFused of [false, true]) {
      const { buffers } = kvFixture(gpu, shape, rows, 9)
      const output = createStorageBuffer(gpu, 'output', rows.length * numRows * 4)
      const rope = { ...buffers, shape, pairing, ropeDim, ropeTable }
      const dispatches = isFused
        ? [
            await prepareMatvecPairs(gpu, {
              ...common,
              output,
              epilogue: { kind: 'rope_kv', ...rope },
              batch: buffers.batch,
              variant,
            }),
          ]
        : [
            await prepareMatvec(gpu, { ...common, output, epilogue: 'store', batch: buffers.batch }),
            await prepareRopeKvWrite(gpu, { ...rope, qkv: output }),
          ]
      await runDispatches(gpu, dispatches, rows.length)
      const qkv = await downloadedFloats(gpu, output, rows.length * numRows)
      results.push([
        ...rowsOf(qkv, numRows).flatMap((row) => [...row.subarray(0, 6 * headDim)]),
        ...(await downloadedFloats(gpu, buffers.keys, buffers.keys.size / 4)),
        ...(await downloadedFloats(gpu, buffers.values, buffers.values.size / 4)),
      ])
    }
    expect(results[1]!.some((v) => v !== 0)).toBe(true)
    expect(largestError(results[1]!, results[0]!)).toBeLessThan(2e-5)
  }
})

/** Of the first row. */
async function squaresLeft(gained: GainedBuffer, numSquares: number): Promise<number> {
  const { squares } = gainedOffsets(gained)
  const all = await downloadedFloats(await testGpu(), gained.buffer, squares + numSquares)
  return all.subarray(squares).reduce((total, v) => total + v, 0)
}

const rowsOf = <Values extends Float32Array | Float64Array>(values: Values, width: number): Values[] =>
  Array.from(
    { length: values.length / width },
    (_, i) => values.subarray(i * width, (i + 1) * width) as Values,
  )
