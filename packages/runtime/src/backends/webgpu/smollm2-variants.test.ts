import { describe } from 'vitest'
import { openServedModel } from '../../engine/served-model.ts'
import { testModelCases } from '../model-cases.ts'
import smollm2Cases from '../reference/fixtures/smollm2-reference.json'
import { createWebGpuExecutor } from './executor.ts'

/** `base` is in smollm2.test.ts. On the software adapter, `fused` takes half a second and more a token: it has fewer. */
describe.each([
  ['quads', smollm2Cases],
  ['fused', smollm2Cases.map((reference) => ({ ...reference, greedy: reference.greedy.slice(0, 3) }))],
] as const)('%s', (variant, cases) => {
  testModelCases(
    async () => {
      const { spec, weights } = await openServedModel()
      return createWebGpuExecutor(spec, weights, { contextLength: 1024, variant })
    },
    0.02,
    { cases },
  )
})
