import { scoreTokens } from '../../engine/score.test-support.ts'
import { openServedModel } from '../../engine/served-model.ts'
import { testModelCases } from '../model-cases.ts'
import { createOrtExecutor } from './executor.ts'

testModelCases(
  async () => {
    const { spec, weights } = await openServedModel()
    return createOrtExecutor(spec, weights, { contextLength: 1024, linears: 'f32' })
  },
  0.005,
  { score: scoreTokens },
)
