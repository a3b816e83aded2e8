import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createStorageBuffer } from '../gpu.ts'
import { downloadedFloats, largestError, runDispatches, testGpu, uploaded } from '../test-gpu.ts'
import type { AttentionVariant } from './attention.ts'
import { prepareAttentionPrefill } from './attention-prefill.ts'
import { expectedAttention, kvFixture, noise } from './kv-fixture.ts'
import type { AttentionShape } from './kv-pages.ts'

const shapes: AttentionShape[] = [
  { numHeads: 9, numKvHeads: 3, headDim: 64, scale: 0.125 },
  { numHeads: 7, numKvHeads: 1, headDim: 12, scale: 0.5 },
  { numHeads: 3, numKvHeads: 3, headDim: 20, scale: 1 },
  { numHeads: 4, numKvHeads: 2, headDim: 28, scale: 0.4 },
  { numHeads: 3, numKvHeads: 1, headDim: 16, scale: 1, softCap: 0.8, window: 13 },
]

async function prefilled(
  variant: AttentionVariant,
  shape: AttentionShape,
  rows: readonly (readonly [number, number])[],
  seed: number,
) {
  const gpu = await testGpu()
  const { numHeads, numKvHeads, headDim } = shape
  const fixture = kvFixture(gpu, shape, rows, seed)
  const qkv = noise(rows.length * (numHeads + 2 * numKvHeads) * headDim, seed + 2)
  const output = createStorageBuffer(gpu, 'output', rows.length * numHeads * headDim * 4)
  const dispatch = await prepareAttentionPrefill(gpu, {
    ...fixture.buffers,
    qkv: uploaded(gpu, qkv),
    output,
    shape,
    variant,
  })
  await runDispatches(gpu, [dispatch], rows.length)
  const actual = await downloadedFloats(gpu, output, rows.length * numHeads * headDim)
  return { actual, expected: expectedAttention(fixture, shape, qkv) }
}

describe.each<AttentionVariant>(['serial', 'parallel'])('%s', (variant) => {
  test('a chunk of one sequence, wherever it starts', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...shapes),
        fc.nat(90),
        fc.integer({ min: 1, max: 50 }),
        fc.nat(1e6),
        async (shape, start, numRows, seed) => {
          const rows = Array.from({ length: numRows }, (_, i) => [1, start + i] as const)
          const { actual, expected } = await prefilled(variant, shape, rows, seed)
          expect(largestError(actual, expected)).toBeLessThan(1e-5)
        },
      ),
      { numRuns: 8 },
    )
  })

  test.each([1, 6, 40])('a window of %i positions, shorter and longer than the chunk', async (window) => {
    const rows = Array.from({ length: 23 }, (_, i) => [1, 50 + i] as const)
    const { actual, expected } = await prefilled(variant, { ...shapes[2]!, window }, rows, 3)
    expect(largestError(actual, expected)).toBeLessThan(1e-5)
  })

  test('heads of 256, as Gemma has', async () => {
    const shape = { numHeads: 4, numKvHeads: 1, headDim: 256, scale: 1 / 16, window: 50 }
    const rows = Array.from({ length: 9 }, (_, i) => [0, 60 + i] as const)
    const { actual, expected } = await prefilled(variant, shape, rows, 4)
    expect(largestError(actual, expected)).toBeLessThan(1e-5)
  })

  test('rows of several sequences in any order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...shapes),
        fc.array(fc.tuple(fc.nat(3), fc.nat(100)), { minLength: 1, maxLength: 25 }),
        fc.nat(1e6),
        async (shape, rows, seed) => {
          const { actual, expected } = await prefilled(variant, shape, rows, seed)
          expect(largestError(actual, expected)).toBeLessThan(1e-5)
        },
      ),
      { numRuns: 8 },
    )
  })
})
