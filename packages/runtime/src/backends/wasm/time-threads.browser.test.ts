import { expect, test } from 'vitest'
import { tinyModel } from '../reference/tiny-model.ts'
import { timeThreads } from './time-threads.ts'

test.each(['Q4_1', 'Q4_K', 'F16'] as const)('a layer in %s takes some time, and not long', async (type) => {
  const { spec, weights } = tinyModel({ type })
  const times = await timeThreads(spec, weights.tensors, [1, 2, 4], { precision: 'int16' })
  expect(Object.keys(times)).toEqual(['1', '2', '4'])
  for (const ms of Object.values(times)) {
    expect(ms).toBeGreaterThan(0)
    expect(ms).toBeLessThan(10_000)
  }
})
