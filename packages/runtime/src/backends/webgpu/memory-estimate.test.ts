import { expect, test } from 'vitest'
import { optionModel, optionModels } from '../reference/option-models.ts'
import { tinyModel } from '../reference/tiny-model.ts'
import { createWebGpuExecutor } from './executor.ts'
import { estimateMemory } from './memory-estimate.ts'

/** The software adapter's. */
const chunkSize = 32

test.each([
  ['a llama', tinyModel({ type: 'Q4_K', embeddingType: 'Q6_K', contextLength: 3000 })],
  ['windows in two of three blocks', optionModel(optionModels['windows in two of three blocks']!)],
  ['fused tensors', optionModel(optionModels['fused tensors of Q4_K and Q5_0']!)],
  ['everything at once', optionModel(optionModels['everything at once']!)],
])('what is estimated from the header is what a full context takes: %s', async (_, { spec, weights }) => {
  const executor = await createWebGpuExecutor(spec, weights)
  const { contextLength } = executor
  const sequence = executor.createSequence()
  await executor.append(sequence, new Uint32Array(contextLength))
  const actual = executor.memory()
  const estimated = estimateMemory(spec, weights.tensors, contextLength, { chunkSize })
  for (const part of ['weightBytes', 'kvCacheBytes', 'otherBytes'] as const) {
    expect(estimated[part] / actual[part], part).toBeGreaterThan(0.9)
    expect(estimated[part] / actual[part], part).toBeLessThan(1.1)
  }
  executor.dispose()
})
