import { expect, test } from 'vitest'
import { tinyModel } from '../reference/tiny-model.ts'
import { timeLayer } from './time-layer.ts'

test.each(['Q4_1', 'Q4_K', 'F16'] as const)('a layer in %s takes some time, and not long', async (type) => {
  const { spec, weights } = tinyModel({ type })
  const ms = await timeLayer(spec, weights.tensors)
  expect(ms).toBeGreaterThan(0)
  expect(ms).toBeLessThan(30_000)
})
