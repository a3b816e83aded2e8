import { afterAll, beforeAll, expect, test } from 'vitest'
import { cdp } from 'vitest/browser'
import { type OnnxGraph, writeOnnx } from '../formats/onnx.ts'
import { type BrasaError, createEngine, type Engine } from '../index.ts'

let engine: Engine

beforeAll(async () => {
  engine = await createEngine({ catalogueUrl: '/models/models.json' })
})
afterAll(() => engine.dispose())

const numColumns = 48
const weight = Float32Array.from({ length: numColumns * numColumns }, (_, i) => Math.sin(i * 0.37))

/** y = silu(x weight), on whatever provider. */
const graph: OnnxGraph = {
  name: 'layer',
  nodes: [
    { op: 'MatMul', inputs: ['x', 'weight'], outputs: ['product'] },
    { op: 'Sigmoid', inputs: ['product'], outputs: ['gate'] },
    { op: 'Mul', inputs: ['product', 'gate'], outputs: ['y'] },
  ],
  constants: [
    {
      name: 'weight',
      type: 'float32',
      dims: [numColumns, numColumns],
      data: new Uint8Array(weight.slice().buffer),
    },
  ],
  inputs: [{ name: 'x', type: 'float32', dims: ['rows', numColumns] }],
  outputs: [{ name: 'y', type: 'float32', dims: ['rows', numColumns] }],
}
const file = new File([writeOnnx(graph).slice()], 'layer.onnx')
const feeds = (numRows: number) => ({
  x: {
    dims: [numRows, numColumns],
    data: Float32Array.from({ length: numRows * numColumns }, (_, i) => Math.cos(i * 0.11)),
  },
})

/** The same in float64. */
function expected(numRows: number): number[] {
  const x = feeds(numRows).x.data
  return Array.from({ length: numRows * numColumns }, (_, index) => {
    const [row, column] = [Math.floor(index / numColumns), index % numColumns]
    let product = 0
    for (let i = 0; i < numColumns; i++)
      product += x[row * numColumns + i]! * weight[i * numColumns + column]!
    return product / (1 + Math.exp(-product))
  })
}

function expectNear(actual: Float32Array, wanted: readonly number[]): void {
  expect(actual).toHaveLength(wanted.length)
  expect(Math.max(...wanted.map((value, i) => Math.abs(value - actual[i]!)))).toBeLessThan(1e-4)
}

test('a session computes on the GPU what it computes on the CPU', async () => {
  const onGpu = await engine.sessions.create(file, { provider: 'webgpu' })
  const onCpu = await engine.sessions.create(file)
  expect(onGpu.inputs).toEqual(onCpu.inputs)
  for (const numRows of [1, 7]) {
    for (const session of [onGpu, onCpu]) {
      const { y } = await session.run(feeds(numRows))
      expect(y!.dims).toEqual([numRows, numColumns])
      expectNear(y!.data as Float32Array, expected(numRows))
    }
  }
  await Promise.all([onGpu.release(), onCpu.release()])
})

test('a lost GPU is a typed error, and the next run has a new worker; sessions of the CPU go on', async () => {
  const onGpu = await engine.sessions.create(file, { provider: 'webgpu' })
  const onCpu = await engine.sessions.create(file)
  expectNear((await onGpu.run(feeds(1))).y!.data as Float32Array, expected(1))
  // The command may have no answer: what would send it is gone.
  void cdp()
    .send('Browser.crashGpuProcess' as never)
    .catch(() => {})
  // The loss arrives within a moment; a run before that may still succeed.
  let error: BrasaError | undefined
  const deadline = performance.now() + 20_000
  while (error === undefined && performance.now() < deadline) {
    await onGpu.run(feeds(1)).catch((reason: BrasaError) => {
      error = reason
    })
  }
  expect(error?.code).toBe('device_lost')
  expectNear((await onGpu.run(feeds(3))).y!.data as Float32Array, expected(3))
  expectNear((await onCpu.run(feeds(3))).y!.data as Float32Array, expected(3))
})
