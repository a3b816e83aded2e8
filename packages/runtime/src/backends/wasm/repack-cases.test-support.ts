// Repacking in kernels against the planes' way, bit for bit, as tests: every encoding, alone and
// beside others, in pieces of any length.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type GgmlType, ggmlTypes } from '../../formats/ggml-types.ts'
import { repack } from '../../quant/blocks.ts'
import { convertPlanes } from '../../quant/convert.ts'
import { randomBlocks, randomNumbers } from '../reference/tiny-model.ts'
import { createHeap } from './heap.ts'
import { compileKernels, type FeatureSet, startKernels } from './kernels.ts'
import { createRepack } from './repack.ts'
import { tileBytes, tileFormat, writeTiles } from './tiles.ts'

/** Tests of these kernels. */
export async function testRepack(featureSet: FeatureSet, numRuns: number): Promise<void> {
  const heap = createHeap(false)
  const kernels = await startKernels(await compileKernels(featureSet), heap.memory, false)
  const repackBlocks = createRepack(heap, kernels)
  const [slow, fast] = [heap.allocate(2 ** 20), heap.allocate(2 ** 20)]
  const encodings = ['Q4_0', 'Q4_1', 'Q5_0', 'Q8_0', 'Q4_K', 'Q5_K', 'Q6_K'] as const

  /** Every other four rows, as gate and up rows lie; rows that are left out belong to another matrix. */
  const rowsInTurns = (numRows: number) => (row: number) =>
    row >= 1 && row < numRows - 1 ? Math.floor(row / 4) * 8 + (row % 4) + 4 : undefined

  function both(
    type: GgmlType,
    other: GgmlType,
    bytes: Uint8Array,
    firstBlock: number,
    columnBlocks: number,
  ) {
    const { blockSize, blockBytes } = ggmlTypes[type]
    const { format, layout } = tileFormat([type, other])
    const numColumns = columnBlocks * 256
    const count = (bytes.length / blockBytes) * blockSize
    const firstValue = firstBlock * blockSize
    const numRows = Math.ceil((firstValue + count) / numColumns)
    const rowAt = rowsInTurns(numRows)
    const byteLength = tileBytes(format, numRows * 2 + 16, numColumns)
    expect(byteLength).toBeLessThan(2 ** 20)
    const bufferOf = (address: number) => new Uint8Array(heap.memory.buffer, address, byteLength).fill(0)
    const [expected, actual] = [bufferOf(slow), bufferOf(fast)]
    const isWritten = repackBlocks(type, bytes, firstValue, { address: fast, format, numColumns }, rowAt)
    const writeSlowly = () =>
      writeTiles(
        {
          ...{ format, numColumns },
          words: new Uint32Array(heap.memory.buffer, slow, byteLength / 4),
          floats: new Float32Array(heap.memory.buffer, slow, byteLength / 4),
          halves: new Uint16Array(heap.memory.buffer, slow, byteLength / 2),
        },
        convertPlanes(repack(type, bytes), layout, count),
        firstValue,
        count,
        rowAt,
      )
    return { isWritten, writeSlowly, expected, actual }
  }

  /** Index, or -1; `toEqual` takes seconds for what this does in milliseconds. */
  const firstDifference = (actual: Uint8Array, expected: Uint8Array) =>
    actual.findIndex((byte, at) => byte !== expected[at])

  test.each(encodings.flatMap((type) => encodings.map((other) => [type, other] as const)))(
    `%s beside %s, ${featureSet}`,
    (type, other) => {
      // A file has either beside the other, and what is wider is made for both by way of planes.
      const own = tileFormat([type])
      const isKnown = tileFormat([type, other]).format === own.format || type === 'Q4_K' || type === 'Q5_K'
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: 90 }),
          fc.nat(70),
          fc.integer({ min: 1, max: 3 }),
          fc.nat(),
          (numBlocks, firstBlock, columnBlocks, seed) => {
            const perBlock = 256 / ggmlTypes[type].blockSize
            const few = perBlock === 1 ? Math.ceil(numBlocks / 8) : numBlocks
            const bytes = randomBlocks(type, few * ggmlTypes[type].blockSize, 1, randomNumbers(seed))
            const { isWritten, writeSlowly, expected, actual } = both(
              type,
              other,
              bytes,
              perBlock === 1 ? firstBlock >> 3 : firstBlock,
              columnBlocks,
            )
            expect(isWritten).toBe(isKnown)
            if (!isWritten) return
            writeSlowly()
            expect(firstDifference(actual, expected)).toBe(-1)
          },
        ),
        { numRuns },
      )
    },
  )

  test(`takes a piece that is longer than its window, ${featureSet}`, () => {
    const bytes = randomBlocks('Q4_1', 2 ** 19, 1, randomNumbers(7))
    expect(bytes.length).toBeGreaterThan(256 * 1024)
    const { isWritten, writeSlowly, expected, actual } = both('Q4_1', 'Q4_1', bytes, 5, 9)
    expect(isWritten).toBe(true)
    writeSlowly()
    expect(firstDifference(actual, expected)).toBe(-1)
  })

  test.each(['Q4_0', 'Q4_1', 'Q5_0', 'Q8_0'] as const)(
    `%s with every scale there is, ${featureSet}`,
    (type) => {
      const { blockBytes } = ggmlTypes[type]
      const perExponent = 1024
      // The row of the last eight blocks is another matrix's.
      const bytes = new Uint8Array(blockBytes * (perExponent + 8)).fill(0x2c)
      for (let first = 0; first < 0x10000; first += perExponent) {
        for (let index = 0; index < perExponent; index++) {
          bytes[index * blockBytes] = (first + index) & 255
          bytes[index * blockBytes + 1] = (first + index) >> 8
        }
        const { isWritten, writeSlowly, expected, actual } = both(type, type, bytes, 8, 1)
        if (isWritten) {
          writeSlowly()
          expect(firstDifference(actual, expected)).toBe(-1)
        } else expect(writeSlowly).toThrow('out of range')
      }
    },
  )
}
