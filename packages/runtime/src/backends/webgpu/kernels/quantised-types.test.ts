import { expect, test } from 'vitest'
import { ggmlTypeNames } from '../../../formats/ggml-types.ts'
import { dequantise } from '../../../quant/blocks.ts'
import fixtures from '../../../quant/fixtures/blocks.json' with { type: 'json' }
import { matmul } from '../../reference/operations.ts'
import { deviceLayouts } from '../device-planes.ts'
import { repackRows } from '../device-repack.ts'
import { createStorageBuffer, writeBuffer } from '../gpu.ts'
import { downloadedFloats, runDispatches, testGpu, uploaded } from '../test-gpu.ts'
import { prepareMatmul } from './matmul.ts'
import { prepareMatvec } from './matvec.ts'
import { type PairsVariant, prepareMatvecPairs } from './matvec-pairs.ts'
import { batchOf, floats } from './test-matrix.test-support.ts'

const bytesOf = (base64: string) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))

const numColumns = 256

test.each(ggmlTypeNames)('%s blocks of a file go through every product', async (type) => {
  const gpu = await testGpu()
  // Five rows of 256 values out of the fixture's blocks, again and again.
  const { blocks } = fixtures[type]
  const block = bytesOf(blocks)
  const numValues = bytesOf(fixtures[type].values).length / 4
  const bytesEach = block.length / numValues
  const file = new Uint8Array(5 * numColumns * bytesEach).map((_, i) => block[i % block.length]!)
  const values = new Float64Array(5 * numColumns)
  dequantise(type, file, values)

  const layout = deviceLayouts[type]
  const { quants, scales } = repackRows(type, file, 5)
  const weights = {
    layout,
    numRows: 5,
    numColumns,
    quants: uploaded(gpu, quants),
    scales: uploaded(gpu, scales),
  }
  const batchRows = 3
  const x = floats(9, batchRows * numColumns)
  const expected = matmul(values, x, batchRows, 5, numColumns)
  // Fixtures hold extreme values: what may be lost is measured by the largest terms that were added.
  const magnitudes = matmul(values.map(Math.abs), x.map(Math.abs), batchRows, 5, numColumns)

  const output = createStorageBuffer(gpu, 'y', batchRows * 5 * 4)
  const batch = batchOf(gpu, [0, 0, 0])
  const bindings = { weights, input: uploaded(gpu, x), output, batch }
  const pairs = (variant: PairsVariant) =>
    prepareMatvecPairs(gpu, { ...bindings, epilogue: { kind: 'store' }, variant })
  const products = [
    prepareMatvec(gpu, { ...bindings, epilogue: 'store' }),
    prepareMatmul(gpu, { ...bindings, epilogue: 'store' }),
    pairs('parallel'),
    ...(gpu.hasQuads ? [pairs('quads')] : []),
  ]
  for (const dispatch of await Promise.all(products)) {
    writeBuffer(gpu, output, 0, new Float32Array(batchRows * 5))
    await runDispatches(gpu, [dispatch], batchRows)
    const actual = await downloadedFloats(gpu, output, batchRows * 5)
    for (const [i, value] of actual.entries())
      expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(2e-6 * magnitudes[i]! + 1e-30)
  }
})
