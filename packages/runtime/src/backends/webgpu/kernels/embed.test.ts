import fc from 'fast-check'
import { expect, test } from 'vitest'
import { embed } from '../../reference/operations.ts'
import { createStorageBuffer } from '../gpu.ts'
import { downloadedFloats, runDispatches, testGpu } from '../test-gpu.ts'
import { prepareEmbed } from './embed.ts'
import { batchOf, drawnShape, matrixCases, numbersOf, randomMatrix } from './test-matrix.test-support.ts'

for (const matrixCase of matrixCases) {
  test(`embed of ${matrixCase.name}: drawn tables and tokens`, async () => {
    const gpu = await testGpu()
    const drawn = fc.asyncProperty(
      drawnShape(matrixCase),
      fc.constantFrom(undefined, 25.25),
      async ({ numRows, numColumns, batchRows, seed }, scale) => {
        const { matrix, values } = randomMatrix(gpu, matrixCase, numRows, numColumns, seed)
        const numbers = numbersOf(seed + 1)
        const tokens = Array.from({ length: batchRows }, () => numbers.bits() % numRows)
        const output = createStorageBuffer(gpu, 'y', batchRows * numColumns * 4)
        const dispatch = await prepareEmbed(gpu, {
          table: matrix,
          scale,
          batch: batchOf(gpu, tokens),
          output,
        })
        await runDispatches(gpu, [dispatch], batchRows)
        const actual = await downloadedFloats(gpu, output, batchRows * numColumns)
        const expected = embed(values, tokens, numColumns)
        // scale * q + min may be one rounding or two.
        for (const [i, value] of expected.entries())
          expect(Math.abs(actual[i]! - (scale ?? 1) * value)).toBeLessThanOrEqual(4e-7 * (scale ?? 1))
      },
    )
    await fc.assert(drawn, { numRuns: 4 })
  })
}
