import fc from 'fast-check'
import { expect, test } from 'vitest'
import { geluTanhMul, siluMul } from '../../reference/operations.ts'
import { createStorageBuffer } from '../gpu.ts'
import { downloadedFloats, largestError, runDispatches, testGpu, uploaded } from '../test-gpu.ts'
import { prepareGlu } from './glu.ts'
import { batchOf, floats } from './test-matrix.test-support.ts'

test.each([
  ['silu', siluMul],
  ['gelu_tanh', geluTanhMul],
] as const)('glu with %s: drawn shapes and sizes, very large gates among them', async (activation, gluOf) => {
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
      const dispatch = await prepareGlu(gpu, {
        gateUp: uploaded(gpu, gateUp),
        output,
        intermediateSize,
        activation,
        batch: batchOf(gpu, new Array(batchRows).fill(0)),
      })
      await runDispatches(gpu, [dispatch], batchRows)
      const isGate = (i: number) => i % (2 * intermediateSize) < intermediateSize
      const expected = gluOf(
        gateUp.filter((_, i) => isGate(i)),
        gateUp.filter((_, i) => !isGate(i)),
      )
      expect(largestError(await downloadedFloats(gpu, output, count), expected)).toBeLessThan(1e-5)
    },
  )
  // The example: one gate where 1 + tanh has few digits left, and a large value that it scales.
  await fc.assert(drawn, { numRuns: 12, examples: [[25, 1, 1000, -1899360969]] })
})
