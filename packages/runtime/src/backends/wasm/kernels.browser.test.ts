// What tests in Node check of plain kernels, of those that only a browser runs.

import { expect, test } from 'vitest'
import { createHeap } from './heap.ts'
import { compileKernels, startKernels } from './kernels.ts'
import { testRepack } from './repack-cases.test-support.ts'
import { testSampler } from './sampler-cases.test-support.ts'

test('compiles those that are asked for, and else those that suit the product of bytes of this machine', async () => {
  for (const featureSet of ['plain', 'relaxed'] as const)
    expect((await compileKernels(featureSet)).featureSet).toBe(featureSet)
  const relaxed = await startKernels(await compileKernels('relaxed'), createHeap(false).memory, false)
  // Saturated, it is two or four times 32,767.
  const saturates = relaxed.probeDot() % 32_767 === 0
  expect((await compileKernels()).featureSet).toBe(saturates ? 'plain' : 'relaxed')
})

await testSampler('relaxed', 200)
await testRepack('relaxed', 3)
