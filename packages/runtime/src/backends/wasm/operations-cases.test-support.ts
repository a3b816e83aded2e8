// Every kernel but the linear layers against the float64 operation of the same name, as tests.

import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import type { GgmlType } from '../../formats/ggml-types.ts'
import { blockFormats, dequantise } from '../../quant/blocks.ts'
import { applyRope, attention, embed, rmsNorm } from '../reference/operations.ts'
import { randomNumbers, tinyModel } from '../reference/tiny-model.ts'
import { mostSplits } from './activations.ts'
import { createHeap } from './heap.ts'
import { compileKernels, type FeatureSet } from './kernels.ts'
import { layerBytes, pageTokens } from './kv-cache.ts'
import { loadMatrices } from './matrices.ts'
import { f32, type OpRecord, writeProgram } from './program.ts'
import { createRopeTables } from './rope-tables.ts'
import { startThreads } from './threads.ts'
import { formatCodes } from './tiles.ts'

export interface OperationsOptions {
  readonly numThreads: number
  readonly numRuns: number
  /** Memory before what the tests use: addresses above 2 GiB are negative where a sign is taken for one. */
  readonly skippedBytes?: number
}

/** Tests of each operation with these kernels. */
export async function testOperations(
  featureSet: FeatureSet,
  { numThreads, numRuns, skippedBytes = 0 }: OperationsOptions,
): Promise<void> {
  const heap = createHeap(numThreads > 1)
  heap.allocate(skippedBytes)
  const { kernels, board, dispose } = await startThreads(
    await compileKernels(featureSet),
    heap,
    numThreads,
    3072,
  )
  afterAll(dispose)
  describe(`${featureSet} kernels on ${numThreads} threads${skippedBytes > 0 ? ', above 2 GiB' : ''}`, () => {
    function run(...ops: OpRecord[]): void {
      const program = writeProgram(heap, ops)
      kernels.run(board, program.address, program.numOps)
    }

    function place(values: Float32Array): number {
      const address = heap.allocate(values.byteLength)
      heap.floats(address, values.length).set(values)
      return address
    }

    function expectNear(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
      for (let i = 0; i < expected.length; i++) {
        if (!(Math.abs(actual[i]! - expected[i]!) <= tolerance * (1 + Math.abs(expected[i]!))))
          expect.fail(
            `${actual[i]} at ${i} of ${expected.length} is not within ${tolerance} of ${expected[i]}`,
          )
      }
    }

    const shapes = fc
      .record({
        numKvHeads: fc.integer({ min: 1, max: 3 }),
        group: fc.integer({ min: 1, max: 7 }),
        headDim: fc.constantFrom(32, 36, 64, 68, 80, 96, 128, 256),
        firstPosition: fc.oneof(fc.constant(0), fc.nat(300), fc.constantFrom(62, 63, 64, 127, 128)),
        numRows: fc.integer({ min: 1, max: 9 }),
        window: fc.option(fc.integer({ min: 1, max: 200 }), { nil: undefined }),
        softCap: fc.option(fc.double({ min: 0.5, max: 50, noNaN: true }), { nil: undefined }),
        numSplits: fc.integer({ min: 1, max: mostSplits }),
        rowsPerChunk: fc.integer({ min: 1, max: 4 }),
        keyBytes: fc.constantFrom(2 as const, 4 as const),
        sharpness: fc.constantFrom(0.05, 1, 8),
        pairing: fc.constantFrom('adjacent' as const, 'half' as const),
        turned: fc.constantFrom(0, 0.25, 0.5, 1),
        magnitude: fc.constantFrom(1, 1.19),
        seed: fc.nat(),
      })
      // As wide as the scratch of this file's one thread.
      .filter(({ numKvHeads, group, headDim }) => numKvHeads * group * headDim <= 3072)
      .map((shape) => ({ ...shape, numHeads: shape.numKvHeads * shape.group }))

    test('turns queries and keys, writes pages, and attends over them', () => {
      fc.assert(
        fc.property(shapes, (shape) => {
          const { numHeads, numKvHeads, headDim, firstPosition, numRows, window, softCap, numSplits } = shape
          const { pairing, magnitude, rowsPerChunk, keyBytes } = shape
          const random = randomNumbers(shape.seed)
          const length = firstPosition + numRows
          const dim = 2 * Math.floor((shape.turned * headDim) / 2)
          const inverseFrequencies = Float64Array.from(
            { length: dim / 2 },
            (_, i) => 10_000 ** ((-2 * i) / dim),
          )
          const model = tinyModel({ numBlocks: 1 }).spec
          const rope = { pairing, dim, inverseFrequencies, magnitude }
          const [table] = createRopeTables(
            {
              ...model,
              blocks: model.blocks.map((block) => ({
                ...block,
                attention: { ...block.attention, ...(dim > 0 && { rope }) },
              })),
            },
            length,
            heap,
          )
          // Columns of the queries, keys and values of a row, and some that are no business of attention's.
          const [queryWidth, keyWidth] = [numHeads * headDim, numKvHeads * headDim]
          const width = queryWidth + 2 * keyWidth + 4
          const qkv = Float32Array.from({ length: length * width }, () => (random() * 2 - 1) * 1.7)

          const queries = new Float64Array(length * queryWidth)
          const keys = new Float64Array(length * keyWidth)
          const values = new Float64Array(length * keyWidth)
          for (let position = 0; position < length; position++) {
            const row = Float64Array.from(qkv.subarray(position * width, (position + 1) * width))
            const turn = (part: Float64Array) => {
              if (dim > 0) applyRope(part, position, inverseFrequencies, headDim, dim, pairing, magnitude)
              return part
            }
            queries.set(turn(row.subarray(0, queryWidth)), position * queryWidth)
            keys.set(turn(row.subarray(queryWidth, queryWidth + keyWidth)), position * keyWidth)
            values.set(row.subarray(queryWidth + keyWidth, queryWidth + 2 * keyWidth), position * keyWidth)
          }
          const scale = shape.sharpness / Math.sqrt(headDim)

          // Pages in no order, with a layer before this one, full of what a sequence before left there.
          const layerOffset = layerBytes(numKvHeads, headDim, keyBytes)
          const numPages = Math.ceil(length / pageTokens)
          const pages = Array.from({ length: numPages }, () => {
            const address = heap.allocate(2 * layerOffset)
            heap.floats(address, layerOffset / 2).fill(Number.NaN)
            return address
          })
          pages.sort(() => random() - 0.5)
          const pageTable = heap.allocate(numPages * 4)
          heap.words(pageTable, numPages).set(pages)
          const rows = heap.allocate(length * 16)
          for (let position = 0; position < length; position++)
            heap.words(rows + position * 16, 2).set([position, pageTable])
          const qkvAt = place(qkv)
          const parts = heap.allocate(numRows * numHeads * numSplits * (headDim + 4) * 4)
          const output = heap.allocate(numRows * queryWidth * 4)
          const firstRow = { rows: rows + firstPosition * 16, qkv: qkvAt + firstPosition * width * 4 }
          const isHalf = pairing === 'half' ? 1 : 0
          run(
            {
              kind: 'rope',
              numChunks: Math.ceil(length / 8),
              fields: [
                ...[length, numHeads, numKvHeads, headDim, qkvAt, width * 4, rows],
                ...[table!, dim, isHalf, layerOffset, keyBytes],
              ],
            },
            {
              kind: 'attention',
              numChunks: Math.ceil(numRows / rowsPerChunk) * numKvHeads * numSplits,
              fields: [
                ...[
                  numRows,
                  numHeads,
                  numKvHeads,
                  headDim,
                  firstRow.qkv,
                  width * 4,
                  firstRow.rows,
                  layerOffset,
                ],
                ...[f32(scale), f32(softCap ?? 0), window ?? 0, numSplits, parts, rowsPerChunk, keyBytes],
              ],
            },
            {
              kind: 'merge',
              numChunks: numRows,
              fields: [numRows, numHeads, headDim, numSplits, parts, output],
            },
          )
          const turnedRows = heap.floats(qkvAt, qkv.length)
          for (let position = 0; position < length; position++) {
            const query = turnedRows.subarray(position * width, position * width + queryWidth)
            expectNear(query, queries.subarray(position * queryWidth, (position + 1) * queryWidth), 1e-6)
          }
          const expected = attention(queries.subarray(firstPosition * queryWidth), keys, values, {
            ...{ numRows, firstPosition, numHeads, numKvHeads, headDim, scale, window, softCap },
          })
          // Of whole numbers, half a unit of 1.7 / 16383, or of a key, moves a score by as much as the scale lets it.
          const tolerance = keyBytes === 4 ? 1e-5 : 1e-3 * Math.max(1, shape.sharpness)
          expectNear(heap.floats(output, numRows * queryWidth), expected, tolerance)
        }),
        { numRuns },
      )
    }, 60_000)

    test('normalises rows, heads and outputs', () => {
      const wide = fc.record({
        numRows: fc.integer({ min: 1, max: 70 }),
        numColumns: fc.integer({ min: 1, max: 80 }).map((quarter) => 4 * quarter),
        spare: fc.integer({ min: 0, max: 4 }).map((quarter) => 4 * quarter),
        numHeads: fc.integer({ min: 1, max: 4 }),
        // Down to where mean squares are no normal floats.
        size: fc.constantFrom(1e-22, 1e-3, 1, 1e4),
        scale: fc.constantFrom(1, 0.22, -1.5),
        seed: fc.nat(),
      })
      fc.assert(
        fc.property(wide, ({ numRows, numColumns, spare, numHeads, size, scale, seed }) => {
          const random = randomNumbers(seed)
          const epsilon = 1e-6
          const stride = numHeads * numColumns + spare
          const x = Float32Array.from({ length: numRows * stride }, () => (random() * 2 - 1) * size)
          const gain = Float32Array.from({ length: numColumns }, () => random() * 2)
          const rows = new Float64Array(numRows * numHeads * numColumns)
          for (let row = 0; row < numRows; row++)
            rows.set(x.subarray(row * stride, (row + 1) * stride - spare), row * numHeads * numColumns)
          const normed = rmsNorm(rows, gain, epsilon, numRows * numHeads, numColumns)
          const gainAt = place(gain)

          const inPlace = place(x)
          const first = place(x)
          const floats = heap.allocate(numRows * numColumns * 4)
          const hidden = place(x)
          run(
            {
              kind: 'headNorm',
              numChunks: numRows,
              fields: [numRows, numHeads, numColumns, inPlace, stride * 4, gainAt, f32(epsilon)],
            },
            {
              kind: 'normalise',
              numChunks: numRows,
              fields: [numRows, numColumns, first, stride * 4, gainAt, f32(epsilon), floats, 0, 0, 0, 1],
            },
            {
              kind: 'postNorm',
              numChunks: numRows,
              fields: [
                ...[numRows, numColumns, first, stride * 4, gainAt, f32(epsilon)],
                ...[hidden, stride * 4, f32(scale)],
              ],
            },
          )
          for (let row = 0; row < numRows; row++) {
            const from = row * numHeads * numColumns
            const heads = heap.floats(inPlace + row * stride * 4, stride)
            expectNear(heads, normed.subarray(from, from + numHeads * numColumns), 2e-6)
            const before = x.subarray(row * stride, (row + 1) * stride)
            expect([...heads.subarray(stride - spare)]).toEqual([...before.subarray(stride - spare)])
            const one = normed.subarray(from, from + numColumns)
            expectNear(heap.floats(floats + row * numColumns * 4, numColumns), one, 2e-6)
            const added = one.map((value, i) => before[i]! + scale * value)
            expectNear(heap.floats(hidden + row * stride * 4, numColumns), added, 4e-6)
          }
        }),
        { numRuns },
      )
    })

    test.each(Object.keys(blockFormats) as GgmlType[])(
      'looks up rows of a table in %s',
      async (embeddingType) => {
        const { spec, weights } = tinyModel({ embeddingType, type: 'F32', vocabSize: 45 })
        const { hiddenSize, vocabSize } = spec
        const table = new Float32Array(vocabSize * hiddenSize)
        dequantise(embeddingType, await weights.read('token_embd.weight'), table)
        const { embedding } = await loadMatrices(spec, weights, heap, {})
        const tokens = Array.from({ length: 60 }, (_, i) => (i * 17) % vocabSize)
        const tokensAt = heap.allocate(tokens.length * 4)
        heap.words(tokensAt, tokens.length).set(tokens)
        const output = heap.allocate(tokens.length * hiddenSize * 4)
        const scale = Math.fround(Math.sqrt(hiddenSize))
        run({
          kind: 'embed',
          numChunks: tokens.length,
          fields: [
            ...[tokens.length, hiddenSize, formatCodes[embedding.format], embedding.address, tokensAt],
            ...[output, hiddenSize * 4, f32(scale)],
          ],
        })
        const expected = embed(table, tokens, hiddenSize).map((value) => scale * value)
        expectNear(heap.floats(output, expected.length), expected, 4e-6)
      },
    )
  })
}
