import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createStorageBuffer } from '../gpu.ts'
import { downloadedFloats, largestError, runDispatches, testGpu, uploaded } from '../test-gpu.ts'
import type { AttentionVariant } from './attention.ts'
import { prepareAttentionDecode } from './attention-decode.ts'
import { attentionPartsBytes } from './attention-parts.ts'
import { expectedAttention, kvFixture, noise } from './kv-fixture.ts'
import type { AttentionShape } from './kv-pages.ts'

/** Shapes as they come: groups of 1 to 7 heads, head widths that are no power of two. */
const shapes: AttentionShape[] = [
  { numHeads: 9, numKvHeads: 3, headDim: 64, scale: 0.125 },
  { numHeads: 7, numKvHeads: 1, headDim: 12, scale: 0.5 },
  { numHeads: 3, numKvHeads: 3, headDim: 20, scale: 1 },
  { numHeads: 10, numKvHeads: 2, headDim: 36, scale: 0.3 },
  { numHeads: 6, numKvHeads: 3, headDim: 40, scale: 0.5, softCap: 1.5 },
  { numHeads: 2, numKvHeads: 1, headDim: 32, scale: 0.7, softCap: 0.4, window: 37 },
  { numHeads: 14, numKvHeads: 2, headDim: 48, scale: 0.2 },
]

async function decoded(
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
  const parts = createStorageBuffer(gpu, 'parts', attentionPartsBytes(shape, rows.length))
  const dispatches = await prepareAttentionDecode(gpu, {
    ...fixture.buffers,
    qkv: uploaded(gpu, qkv),
    output,
    shape,
    variant,
    parts,
  })
  expect(dispatches.length).toBeLessThanOrEqual(2)
  await runDispatches(gpu, dispatches, rows.length)
  const actual = await downloadedFloats(gpu, output, rows.length * numHeads * headDim)
  parts.destroy()
  return { actual, expected: expectedAttention(fixture, shape, qkv) }
}

describe.each<AttentionVariant>(['serial', 'parallel', 'quads'])('%s', (variant) => {
  test('rows of several sequences attend to their own positions', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...shapes),
        fc.array(fc.tuple(fc.nat(3), fc.nat(150)), { minLength: 1, maxLength: 7 }),
        fc.nat(1e6),
        async (shape, rows, seed) => {
          const { actual, expected } = await decoded(variant, shape, rows, seed)
          expect(largestError(actual, expected)).toBeLessThan(1e-5)
        },
      ),
      { numRuns: 10 },
    )
  })

  test('a first token sees only itself', async () => {
    const { actual, expected } = await decoded(variant, shapes[0]!, [[0, 0]], 5)
    expect(largestError(actual, expected)).toBeLessThan(1e-6)
  })

  test('scores far apart neither overflow nor vanish', async () => {
    const { actual, expected } = await decoded(variant, { ...shapes[0]!, scale: 60 }, [[0, 333]], 6)
    expect(largestError(actual, expected)).toBeLessThan(1e-3)
  })

  test.each([1, 5, 32, 151])('a window of %i positions', async (window) => {
    const rows = [0, 3, 4, 5, 31, 32, 150].map((position, slot) => [slot, position] as const)
    const { actual, expected } = await decoded(variant, { ...shapes[0]!, window }, rows, 8)
    expect(largestError(actual, expected)).toBeLessThan(1e-5)
  })

  test('heads of 256, as Gemma has', async () => {
    const shape = { numHeads: 4, numKvHeads: 1, headDim: 256, scale: 1 / 16, window: 100 }
    const { actual, expected } = await decoded(
      variant,
      shape,
      [
        [0, 130],
        [1, 7],
      ],
      9,
    )
    expect(largestError(actual, expected)).toBeLessThan(1e-5)
  })

  test('two thousand positions', async () => {
    const { actual, expected } = await decoded(variant, shapes[0]!, [[0, 2000]], 7)
    expect(largestError(actual, expected)).toBeLessThan(1e-5)
  })
})
