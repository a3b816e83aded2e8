import fc from 'fast-check'
import { expect, test } from 'vitest'
import { rmsNorm } from '../../reference/operations.ts'
import { downloadedFloats, largestError, runDispatches, testGpu, uploaded } from '../test-gpu.ts'
import { prepareHeadNorm } from './head-norm.ts'
import { batchOf, floats } from './test-matrix.test-support.ts'

const kinds = [undefined, 'head', 'all'] as const

test.each(['serial', 'parallel'] as const)(
  'head_norm, %s: drawn shapes, and norms of either kind',
  async (variant) => {
    const gpu = await testGpu()
    const drawn = fc.asyncProperty(
      fc.constantFrom(
        { numHeads: 9, numKvHeads: 3, headDim: 64 },
        { numHeads: 5, numKvHeads: 1, headDim: 12 },
        { numHeads: 4, numKvHeads: 1, headDim: 256 },
      ),
      fc
        .tuple(fc.constantFrom(...kinds), fc.constantFrom(...kinds))
        .filter(([query, key]) => query !== undefined || key !== undefined),
      fc.integer({ min: 1, max: 7 }),
      fc.integer(),
      async (shape, [queryOver, keyOver], batchRows, seed) => {
        const { numHeads, numKvHeads, headDim } = shape
        const rowSize = (numHeads + 2 * numKvHeads) * headDim
        const qkv = floats(seed, batchRows * rowSize)
        const expected = Float64Array.from(qkv)
        const normOf = (over: 'head' | 'all' | undefined, first: number, heads: number, epsilon: number) => {
          if (over === undefined) return undefined
          const size = over === 'head' ? headDim : heads * headDim
          const gain = floats(seed + first + 1, size)
          for (let row = 0; row < batchRows; row++) {
            const start = row * rowSize + first * headDim
            const vectors = qkv.subarray(start, start + heads * headDim)
            expected.set(rmsNorm(vectors, gain, epsilon, vectors.length / size, size), start)
          }
          return { over, epsilon, gain: uploaded(gpu, gain) }
        }
        const buffer = uploaded(gpu, qkv)
        const dispatch = await prepareHeadNorm(gpu, {
          qkv: buffer,
          shape,
          queryNorm: normOf(queryOver, 0, numHeads, 1e-5),
          keyNorm: normOf(keyOver, numHeads, numKvHeads, 0.1),
          batch: batchOf(gpu, new Array(batchRows).fill(0)),
          variant,
        })
        await runDispatches(gpu, [dispatch], batchRows)
        expect(largestError(await downloadedFloats(gpu, buffer, qkv.length), expected)).toBeLessThan(1e-5)
      },
    )
    await fc.assert(drawn, { numRuns: 14 })
  },
)
