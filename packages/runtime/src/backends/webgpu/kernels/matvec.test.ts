import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { f16FromNumber } from '../../../quant/f16.ts'
import { geluTanhMul, matmul, siluMul, softCapped } from '../../reference/operations.ts'
import { createStorageBuffer } from '../gpu.ts'
import { downloadedFloats, largestError, runDispatches, testGpu, uploaded } from '../test-gpu.ts'
import { prepareMatvec } from './matvec.ts'
import {
  batchOf,
  drawnShape,
  f32Case,
  floats,
  type MatrixCase,
  matrixCases,
  q4Case,
  q8Case,
  randomMatrix,
} from './test-matrix.test-support.ts'

const variants = ['serial', 'parallel'] as const

type Epilogue = 'store' | 'add' | 'glu'
type Shape = { numRows: number; numColumns: number; batchRows: number; seed: number }
type Options = { hasBias?: boolean; scale?: number; softCap?: number; activation?: 'silu' | 'gelu_tanh' }

async function errorOf(
  matrixCase: MatrixCase,
  variant: 'serial' | 'parallel',
  epilogue: Epilogue,
  shape: Shape,
  { hasBias = false, scale = 1, softCap, activation = 'silu' }: Options = {},
) {
  const gpu = await testGpu()
  const { numRows, numColumns, batchRows, seed } = shape
  const { matrix, values } = randomMatrix(gpu, matrixCase, numRows, numColumns, seed)
  const x = floats(seed + 1, batchRows * numColumns)
  const outputSize = epilogue === 'glu' ? numRows / 2 : numRows
  const before = floats(seed + 2, batchRows * outputSize)
  const output = uploaded(gpu, before)
  const bias = floats(seed + 3, numRows)
  const dispatch = await prepareMatvec(gpu, {
    weights: matrix,
    input: uploaded(gpu, x),
    output,
    epilogue,
    ...(hasBias && { bias: uploaded(gpu, bias) }),
    scale,
    softCap,
    activation,
    batch: batchOf(gpu, new Array(batchRows).fill(0)),
    variant,
  })
  await runDispatches(gpu, [dispatch], batchRows)
  const products = matmul(values, x, batchRows, numRows, numColumns)
  const sums = products.map((sum, i) => (hasBias ? sum + bias[i % numRows]! : sum))
  const finished = sums.map((sum) => (softCap === undefined ? scale * sum : softCapped(scale * sum, softCap)))
  const expected =
    epilogue === 'glu'
      ? gluOf(sums, outputSize, activation === 'silu' ? siluMul : geluTanhMul)
      : finished.map((value, i) => value + (epilogue === 'add' ? before[i]! : 0))
  return largestError(await downloadedFloats(gpu, output, before.length), expected)
}

/** activation(gate) * up of rows that are gate values and then up values. */
function gluOf(gateUp: Float64Array, outputSize: number, multiply: typeof siluMul): Float64Array {
  const isGate = (_: number, i: number) => i % (2 * outputSize) < outputSize
  return multiply(
    gateUp.filter(isGate),
    gateUp.filter((_, i) => !isGate(_, i)),
  )
}

describe.each(matrixCases)('matvec of $name', (matrixCase) => {
  test.each(variants)('%s: drawn shapes', async (variant) => {
    const drawn = fc.asyncProperty(
      drawnShape(matrixCase),
      fc.constantFrom<Epilogue>('store', 'add', 'glu'),
      async (shape, epilogue) => {
        const numRows = epilogue === 'glu' ? shape.numRows * 2 : shape.numRows
        expect(await errorOf(matrixCase, variant, epilogue, { ...shape, numRows })).toBeLessThan(2e-5)
      },
    )
    await fc.assert(drawn, { numRuns: 4 })
  })
})

test.each(variants)('%s: biases, scale, cap and GELU', async (variant) => {
  const drawn = fc.asyncProperty(
    fc.constantFrom(q8Case, f32Case),
    fc.constantFrom<readonly [Epilogue, Options]>(
      ['store', { hasBias: true }],
      ['store', { scale: 0.3, softCap: 1.5 }],
      ['store', { softCap: 1e-3 }],
      ['add', { hasBias: true, scale: 2.5 }],
      ['glu', { hasBias: true }],
      ['glu', { activation: 'gelu_tanh' }],
    ),
    fc.integer(),
    async (matrixCase, [epilogue, options], seed) => {
      const shape = { numRows: 38, numColumns: 96, batchRows: 3, seed }
      expect(await errorOf(matrixCase, variant, epilogue, shape, options)).toBeLessThan(2e-5)
    },
  )
  await fc.assert(drawn, { numRuns: 12 })
})

test.each(variants)('%s: a q4 matrix of more rows than have eight to a thread', async (variant) => {
  const shape = { numRows: 2059, numColumns: 64, batchRows: 2, seed: 1 }
  expect(await errorOf(q4Case, variant, 'add', shape)).toBeLessThan(2e-5)
  expect(await errorOf(q4Case, variant, 'glu', { ...shape, numRows: 2062 })).toBeLessThan(2e-5)
})

test.each(variants)('%s: the widest value of every nibble and byte is exact', async (variant) => {
  const gpu = await testGpu()
  for (const { layout } of [q4Case, q8Case]) {
    const batch = batchOf(gpu, [0])
    const words = layout.format === 'q4' ? 4 : 8
    const one = f16FromNumber(1)
    const bits = new Uint32Array(words * 3)
    bits.fill(0x7777_7777, 0, words)
    bits.fill(0x8888_8888, words, words * 2)
    bits.fill(0xffff_ffff, words * 2)
    const scales = new Uint32Array(3).fill(one)
    const output = createStorageBuffer(gpu, 'y', 12)
    const dispatch = await prepareMatvec(gpu, {
      weights: {
        layout,
        numRows: 3,
        numColumns: 32,
        quants: uploaded(gpu, bits),
        scales: uploaded(gpu, scales),
      },
      input: uploaded(gpu, new Float32Array(32).fill(1)),
      output,
      epilogue: 'store',
      batch,
      variant,
    })
    await runDispatches(gpu, [dispatch], 1)
    const expected = layout.format === 'q4' ? [7 * 32, 8 * 32, 15 * 32] : [0x77 * 32, -0x78 * 32, -32]
    expect([...(await downloadedFloats(gpu, output, 3))]).toEqual(expected)
  }
})

test.each(variants)('%s: silu of very large gates is the gate or zero', async (variant) => {
  const gpu = await testGpu()
  const output = createStorageBuffer(gpu, 'y', 8)
  const dispatch = await prepareMatvec(gpu, {
    weights: {
      layout: f32Case.layout,
      numRows: 4,
      numColumns: 1,
      quants: uploaded(gpu, new Float32Array([1e4, -1e4, 1, 1])),
      scales: createStorageBuffer(gpu, 'scales', 0),
    },
    input: uploaded(gpu, new Float32Array([1])),
    output,
    epilogue: 'glu',
    batch: batchOf(gpu, [0]),
    variant,
  })
  await runDispatches(gpu, [dispatch], 1)
  const [large, small] = await downloadedFloats(gpu, output, 2)
  expect(large).toBe(1e4)
  expect(Math.abs(small!)).toBeLessThan(1e-20)
})

test('rows that a format cannot have are refused', async () => {
  const gpu = await testGpu()
  const buffer = createStorageBuffer(gpu, 'any', 16)
  const batch = batchOf(gpu, [0])
  for (const { layout, widthUnit } of matrixCases) {
    if (layout.format === 'f32' || widthUnit === 8) continue
    const weights = { layout, numRows: 3, numColumns: 33, quants: buffer, scales: buffer }
    expect(() =>
      prepareMatvec(gpu, { weights, input: buffer, output: buffer, epilogue: 'store', batch }),
    ).toThrow(expect.objectContaining({ code: 'malformed_model' }))
  }
})
