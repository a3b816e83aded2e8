import fc from 'fast-check'
import { expect, test } from 'vitest'
import { applyRope } from '../../reference/operations.ts'
import { downloadedFloats, largestError, runDispatches, testGpu, uploaded } from '../test-gpu.ts'
import { kvFixture, noise } from './kv-fixture.ts'
import { buildRopeTable, prepareRopeKvWrite } from './rope-kv.ts'

const shapes = [
  { numHeads: 9, numKvHeads: 3, headDim: 64, ropeDim: 64, pairing: 'adjacent', magnitude: 1 },
  { numHeads: 5, numKvHeads: 1, headDim: 12, ropeDim: 10, pairing: 'adjacent', magnitude: 1.2 },
  { numHeads: 2, numKvHeads: 2, headDim: 20, ropeDim: 0, pairing: 'adjacent', magnitude: 1 },
  { numHeads: 14, numKvHeads: 2, headDim: 64, ropeDim: 64, pairing: 'half', magnitude: 1 },
  { numHeads: 5, numKvHeads: 1, headDim: 12, ropeDim: 10, pairing: 'half', magnitude: 0.7 },
  { numHeads: 4, numKvHeads: 1, headDim: 256, ropeDim: 96, pairing: 'half', magnitude: 1 },
] as const

test('turns queries in place and writes turned keys, and values as they are, to their pages', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...shapes),
      fc.uniqueArray(fc.tuple(fc.nat(3), fc.nat(200)), {
        minLength: 1,
        maxLength: 40,
        selector: ([slot, position]) => slot * 1000 + position,
      }),
      fc.nat(1e6),
      async (drawn, rows, seed) => {
        const gpu = await testGpu()
        const { numHeads, numKvHeads, headDim, ropeDim, pairing, magnitude } = drawn
        const shape = { numHeads, numKvHeads, headDim, scale: 1 }
        const numAllHeads = numHeads + 2 * numKvHeads
        const fixture = kvFixture(gpu, shape, rows, seed)
        const qkv = noise(rows.length * numAllHeads * headDim, seed + 2)
        const frequencies = Float64Array.from(
          { length: ropeDim / 2 },
          (_, i) => 10_000 ** ((-2 * i) / ropeDim),
        )
        const qkvBuffer = uploaded(gpu, qkv)
        const ropeTable = uploaded(gpu, buildRopeTable(frequencies, 0, 201, magnitude))
        const dispatch = await prepareRopeKvWrite(gpu, {
          ...fixture.buffers,
          qkv: qkvBuffer,
          ropeTable,
          shape,
          pairing,
          ropeDim,
        })
        await runDispatches(gpu, [dispatch], rows.length)

        const expectedQkv = Float64Array.from(qkv)
        const expectedKeys = Float64Array.from(fixture.keys)
        const expectedValues = Float64Array.from(fixture.values)
        fixture.rows.forEach(({ position, sequenceSlot }, rowIndex) => {
          const numTurned = (numHeads + numKvHeads) * headDim
          const row = expectedQkv.subarray(
            rowIndex * numAllHeads * headDim,
            (rowIndex + 1) * numAllHeads * headDim,
          )
          const turned = row.slice(0, numTurned)
          applyRope(turned, position, frequencies, headDim, ropeDim, pairing, magnitude)
          row.set(turned.subarray(0, numHeads * headDim))
          for (let h = 0; h < numKvHeads; h++) {
            for (let d = 0; d < headDim; d++) {
              expectedKeys[fixture.keyIndex(sequenceSlot, h, position, d)] =
                turned[(numHeads + h) * headDim + d]!
              expectedValues[fixture.valueIndex(sequenceSlot, h, position, d)] =
                row[numTurned + h * headDim + d]!
            }
          }
        })
        const check = async (buffer: GPUBuffer, expected: Float64Array) =>
          expect(largestError(await downloadedFloats(gpu, buffer, expected.length), expected)).toBeLessThan(
            1e-6,
          )
        await check(qkvBuffer, expectedQkv)
        await check(fixture.buffers.keys, expectedKeys)
        await check(fixture.buffers.values, expectedValues)
      },
    ),
    { numRuns: 18 },
  )
})

test('the table is exact where an f32 angle would not be', () => {
  const table = buildRopeTable(Float64Array.of(1, 0.7310586), 131_071, 2)
  expect(table[4]).toBe(Math.fround(Math.cos(131_072)))
  expect(table[7]).toBe(Math.fround(Math.sin(131_072 * 0.7310586)))
})
