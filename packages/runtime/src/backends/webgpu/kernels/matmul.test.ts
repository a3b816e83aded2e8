import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { matmul } from '../../reference/operations.ts'
import { downloadedFloats, largestError, runDispatches, testGpu, uploaded } from '../test-gpu.ts'
import { type MatmulVariant, prepareMatmul } from './matmul.ts'
import { batchOf, drawnShape, floats, matrixCases, q4Case, randomMatrix } from './test-matrix.test-support.ts'

const { hasQuads } = await testGpu()
/** All that this adapter can run. */
const variants: readonly MatmulVariant[] = ['serial', 'parallel', ...(hasQuads ? ['quads' as const] : [])]

describe.each(matrixCases)('matmul of $name', (matrixCase) => {
  test.each(variants)('%s: drawn shapes', async (variant) => {
    const gpu = await testGpu()
    const drawn = fc.asyncProperty(
      drawnShape(matrixCase),
      fc.integer({ min: 1, max: 70 }),
      fc.constantFrom<'store' | 'add'>('store', 'add'),
      fc.constantFrom(1, 0.35),
      fc.boolean(),
      async ({ numRows, numColumns, seed }, batchRows, epilogue, scale, hasBias) => {
        const { matrix, values } = randomMatrix(gpu, matrixCase, numRows, numColumns, seed)
        const x = floats(seed + 1, batchRows * numColumns)
        const before = floats(seed + 2, batchRows * numRows)
        const bias = floats(seed + 3, numRows)
        const output = uploaded(gpu, before)
        const dispatch = await prepareMatmul(gpu, {
          weights: matrix,
          input: uploaded(gpu, x),
          output,
          epilogue,
          scale,
          ...(hasBias && { bias: uploaded(gpu, bias) }),
          batch: batchOf(gpu, new Array(batchRows).fill(0)),
          variant,
        })
        await runDispatches(gpu, [dispatch], batchRows)
        const expected = matmul(values, x, batchRows, numRows, numColumns).map((sum, i) => {
          const product = scale * (sum + (hasBias ? bias[i % numRows]! : 0))
          return epilogue === 'add' ? before[i]! + product : product
        })
        const actual = await downloadedFloats(gpu, output, before.length)
        expect(largestError(actual, expected)).toBeLessThan(2e-5)
      },
    )
    await fc.assert(drawn, { numRuns: 3 })
  })
})

test.each(variants)('%s: rows of the batch buffer beyond the batch are left alone', async (variant) => {
  const gpu = await testGpu()
  const { matrix } = randomMatrix(gpu, q4Case, 9, 64, 7)
  const batch = batchOf(gpu, [0, 0, 0])
  const output = uploaded(gpu, new Float32Array(16 * 9).fill(5))
  const input = uploaded(gpu, floats(3, 16 * 64))
  const dispatch = await prepareMatmul(gpu, {
    weights: matrix,
    input,
    output,
    epilogue: 'store',
    batch,
    variant,
  })
  await runDispatches(gpu, [dispatch], 3)
  const values = await downloadedFloats(gpu, output, 16 * 9)
  expect(values.slice(0, 27).includes(5)).toBe(false)
  expect(values.slice(27).every((value) => value === 5)).toBe(true)
})
