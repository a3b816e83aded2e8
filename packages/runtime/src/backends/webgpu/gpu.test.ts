import { expect, test } from 'vitest'
import { batchWgsl, createBatchBuffers, writeBatch } from './batch.ts'
import { reads, uniform, writes } from './bindings.ts'
import { prepareDispatch } from './dispatch.ts'
import { createStorageBuffer } from './gpu.ts'
import { downloaded, runDispatches, testGpu, uploaded } from './test-gpu.ts'

const addOne = {
  label: 'add_one',
  code: `${batchWgsl}
    override step = 0;
    @group(0) @binding(0) var<uniform> batch: Batch;
    @group(0) @binding(1) var<storage, read> rows: array<BatchRow>;
    @group(0) @binding(2) var<storage, read_write> y: array<u32>;
    @compute @workgroup_size(4) fn main(@builtin(global_invocation_id) id: vec3u) {
      if (id.x < batch.numRows) { y[id.x] = rows[id.x].position + u32(step); }
    }`,
  constants: { step: 3 },
}

test('a prepared dispatch writes one value a row, and no more', async () => {
  const gpu = await testGpu()
  const batch = createBatchBuffers(gpu, 'batch', 8)
  const y = createStorageBuffer(gpu, 'y', 32)
  writeBatch(
    gpu,
    batch,
    [10, 20, 30, 40, 50].map((position) => ({ token: 1, position, sequenceSlot: 0 })),
  )
  const bindings = [uniform(batch.count), reads(batch.rows), writes(y)]
  const dispatch = await prepareDispatch(gpu, addOne, bindings, (numRows) => [Math.ceil(numRows / 4), 1, 1])
  await runDispatches(gpu, [dispatch], 5)
  expect([...new Uint32Array(await downloaded(gpu, y))]).toEqual([13, 23, 33, 43, 53, 0, 0, 0])
})

test('wrong WGSL is an error, and so is a wrong binding', async () => {
  const gpu = await testGpu()
  const y = uploaded(gpu, new Uint32Array(4))
  const broken = { ...addOne, label: 'broken', code: 'fn main( {' }
  await expect(prepareDispatch(gpu, broken, [writes(y)], () => [1, 1, 1])).rejects.toThrow(/^broken:1:/)
})
