import { expect, it } from 'vitest'
import { describeExecutor } from '../conformance.ts'
import { createReferenceExecutor } from './executor.ts'
import { tinyModel } from './tiny-model.ts'

describeExecutor('reference', createReferenceExecutor, { tolerance: 1e-12 })

it('names a tensor that is not among the weights', async () => {
  const { spec, weights } = tinyModel()
  const tensors = new Map(weights.tensors)
  tensors.delete('blk.1.ffn_up.weight')
  await expect(createReferenceExecutor(spec, { ...weights, tensors })).rejects.toMatchObject({
    code: 'malformed_model',
    details: { tensor: 'blk.1.ffn_up.weight' },
  })
})

it('refuses tokens that the vocabulary has not, and a step with nothing to go on from', async () => {
  const { spec, weights } = tinyModel()
  const executor = await createReferenceExecutor(spec, weights)
  const sequence = executor.createSequence()
  await expect(executor.append(sequence, Uint32Array.of(131))).rejects.toMatchObject({ code: 'internal' })
  await expect(executor.step([{ sequence, token: -1 }])).rejects.toMatchObject({ code: 'internal' })
  await expect(executor.step([{ sequence }])).rejects.toMatchObject({ code: 'internal' })
  expect(sequence.length).toBe(0)
})
