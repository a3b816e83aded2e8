import { scoreTokens } from '../../engine/score.test-support.ts'
import { openServedModel } from '../../engine/served-model.ts'
import { testModelCases } from '../model-cases.ts'
import { createWebGpuExecutor } from './executor.ts'

testModelCases(
  async () => {
    const { spec, weights } = await openServedModel()
    return createWebGpuExecutor(spec, weights, { contextLength: 1024 })
  },
  0.02,
  { score: scoreTokens },
)
