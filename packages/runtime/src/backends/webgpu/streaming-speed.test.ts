import { expect, test } from 'vitest'
import { tinyModel } from '../reference/tiny-model.ts'
import { openGpu } from './gpu.ts'
import { measureStreaming } from './streaming-speed.ts'

test('a decode is timed with and without reading its tokens', async () => {
  const gpu = await openGpu()
  const { spec, weights } = tinyModel()
  const { tokensPerSecond, unreadTokensPerSecond } = await measureStreaming(gpu, spec, weights, 12)
  expect(tokensPerSecond).toBeGreaterThan(0)
  expect(unreadTokensPerSecond).toBeGreaterThan(0)
  expect(gpu.counters.bytesRead).toBe(4 * 12 * 4)
  gpu.device.destroy()
})
