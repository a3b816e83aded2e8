import { expect, test } from 'vitest'
import { optionModel, optionModels } from '../reference/option-models.ts'
import { tinyModel } from '../reference/tiny-model.ts'
import { createWasmExecutor } from './executor.ts'
import { estimateMemory } from './memory-estimate.ts'

test.each([
  ['a llama', tinyModel({ type: 'Q4_K', embeddingType: 'Q6_K', contextLength: 1000 })],
  ['windows in two of three blocks', optionModel(optionModels['windows in two of three blocks']!)],
  ['fused tensors', optionModel(optionModels['fused tensors of Q4_K and Q5_0']!)],
  ['everything at once', optionModel(optionModels['everything at once']!)],
])(
  'what is estimated from the header is what a full context takes: %s',
  async (_, { spec, weights }) => {
    const executor = await createWasmExecutor(spec, weights, { numThreads: 1 })
    const { contextLength } = executor
    const sequence = executor.createSequence()
    // In pieces of every size that there is a plan for.
    for (const length of [16, 4, 1]) await executor.append(sequence, new Uint32Array(length))
    await executor.append(sequence, new Uint32Array(contextLength - sequence.length - 1))
    await executor.step([{ sequence, token: 0 }])
    const total = ({ weightBytes, kvCacheBytes, otherBytes }: ReturnType<typeof executor.memory>) =>
      weightBytes + kvCacheBytes + otherBytes
    const actual = executor.memory()
    const estimated = estimateMemory(spec, weights.tensors, contextLength)
    expect(estimated.weightBytes / actual.weightBytes).toBeCloseTo(1, 1)
    expect(total(estimated) / total(actual)).toBeGreaterThan(0.9)
    expect(total(estimated) / total(actual)).toBeLessThan(1.1)
    executor.dispose()
  },
  60_000,
)
