// What tests in Node check of plain kernels, of those that only a browser runs.

import { expect, test } from 'vitest'
import { compileKernels } from './kernels.ts'
import { testRepack } from './repack-cases.test-support.ts'
import { testSampler } from './sampler-cases.test-support.ts'

test('compiles those that are asked for, and else the same ones again', async () => {
  for (const featureSet of ['plain', 'relaxed'] as const)
    expect((await compileKernels(featureSet)).featureSet).toBe(featureSet)
  const { featureSet } = await compileKernels()
  expect((await compileKernels()).featureSet).toBe(featureSet)
})

await testSampler('relaxed', 200)
await testRepack('relaxed', 3)
