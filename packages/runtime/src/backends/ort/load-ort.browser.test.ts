import { expect, test } from 'vitest'
import { loadOrt, ortThreads } from './load-ort.ts'

/** ir_version 8, opset 13, one node: y = x + x. */
const doubling = Uint8Array.from([
  8, 8, 58, 61, 10, 14, 10, 1, 120, 10, 1, 120, 18, 1, 121, 34, 3, 65, 100, 100, 18, 1, 103, 90, 19, 10, 1,
  120, 18, 14, 10, 12, 8, 1, 18, 8, 10, 6, 18, 4, 114, 111, 119, 115, 98, 19, 10, 1, 121, 18, 14, 10, 12, 8,
  1, 18, 8, 10, 6, 18, 4, 114, 111, 119, 115, 66, 4, 10, 0, 16, 13,
])

test('runs a model with files of our own origin, in as many threads as the page may have', async () => {
  const ort = await loadOrt()
  const { wasm, mjs } = ort.env.wasm.wasmPaths as { wasm: string; mjs: string }
  for (const url of [wasm, mjs]) expect(new URL(url).origin).toBe(location.origin)
  expect(ort.env.wasm.numThreads).toBe(ortThreads())
  const session = await ort.InferenceSession.create(doubling)
  const results = await session.run({ x: new ort.Tensor('float32', Float32Array.of(1, 2.5), [2]) })
  expect([...(results.y!.data as Float32Array)]).toEqual([2, 5])
  await session.release()
})
