import fc from 'fast-check'
import { expect, test } from 'vitest'
import { rmsNorm } from '../../reference/operations.ts'
import { downloadedFloats, largestError, runDispatches, testGpu, uploaded } from '../test-gpu.ts'
import { prepareRmsNorm } from './rms-norm.ts'
import { batchOf, floats } from './test-matrix.test-support.ts'

test.each(['serial', 'parallel'] as const)('rms_norm, %s: drawn shapes', async (variant) => {
  const gpu = await testGpu()
  const drawn = fc.asyncProperty(
    fc.integer({ min: 1, max: 700 }),
    fc.integer({ min: 1, max: 7 }),
    fc.constantFrom(1e-5, 1e-6, 0.1),
    fc.constantFrom(1, 1e-3, 100),
    fc.constantFrom(undefined, 1, 0.35),
    fc.integer(),
    async (hiddenSize, batchRows, epsilon, size, addScale, seed) => {
      const x = floats(seed, batchRows * hiddenSize).map((value) => value * size)
      const gain = floats(seed + 1, hiddenSize)
      const before = floats(seed + 2, x.length)
      const output = uploaded(gpu, before)
      const dispatch = await prepareRmsNorm(gpu, {
        input: uploaded(gpu, x),
        gain: uploaded(gpu, gain),
        output,
        hiddenSize,
        epsilon,
        addScale,
        batch: batchOf(gpu, new Array(batchRows).fill(0)),
        variant,
      })
      await runDispatches(gpu, [dispatch], batchRows)
      const normed = rmsNorm(x, gain, epsilon, batchRows, hiddenSize)
      const expected = normed.map((value, i) =>
        addScale === undefined ? value : before[i]! + addScale * value,
      )
      expect(largestError(await downloadedFloats(gpu, output, x.length), expected)).toBeLessThan(1e-5)
    },
  )
  await fc.assert(drawn, { numRuns: 12 })
})
