import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createStorageBuffer } from '../gpu.ts'
import { downloadedFloats, largestError, runDispatches, testGpu, uploaded } from '../test-gpu.ts'
import { prepareSiluMul } from './silu-mul.ts'
import { batchOf, floats } from './test-matrix.ts'

test('silu_mul: drawn shapes and sizes, very large gates among them', async () => {
  const gpu = await testGpu()
  const drawn = fc.asyncProperty(
    fc.integer({ min: 1, max: 200 }),
    fc.integer({ min: 1, max: 7 }),
    fc.constantFrom(1, 10, 1000),
    fc.integer(),
    async (intermediateSize, batchRows, size, seed) => {
      const gateUp = floats(seed, batchRows * 2 * intermediateSize).map((value) => value * size)
      const count = batchRows * intermediateSize
      const output = createStorageBuffer(gpu, 'y', count * 4)
      const dispatch = await prepareSiluMul(gpu, {
        gateUp: uploaded(gpu, gateUp),
        output,
        intermediateSize,
        batch: batchOf(gpu, new Array(batchRows).fill(0)),
      })
      await runDispatches(gpu, [dispatch], batchRows)
      const expected = Float64Array.from({ length: count }, (_, i) => {
        const at = Math.floor(i / intermediateSize) * 2 * intermediateSize + (i % intermediateSize)
        const gate = gateUp[at]!
        return (gate / (1 + Math.exp(-gate))) * gateUp[at + intermediateSize]!
      })
      expect(largestError(await downloadedFloats(gpu, output, count), expected)).toBeLessThan(1e-5)
    },
  )
  await fc.assert(drawn, { numRuns: 12 })
})
