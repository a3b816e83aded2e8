import { openServedModel } from '../../engine/served-model.ts'
import { testModelCases } from '../model-cases.ts'
import cases from '../reference/fixtures/gemma3-270m-reference.json'
import { createWebGpuExecutor } from './executor.ts'

testModelCases(
  async () => {
    const { spec, weights } = await openServedModel('gemma-3-270m')
    return createWebGpuExecutor(spec, weights, { contextLength: 1024 })
  },
  0.03,
  { cases, tie: 0.03 },
)
