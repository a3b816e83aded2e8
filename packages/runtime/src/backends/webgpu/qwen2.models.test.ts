import { openServedModel } from '../../engine/served-model.ts'
import { testModelCases } from '../model-cases.ts'
import cases from '../reference/fixtures/qwen2.5-coder-0.5b-reference.json'
import { createWebGpuExecutor } from './executor.ts'

testModelCases(
  async () => {
    const { spec, weights } = await openServedModel('qwen2.5-coder-0.5b-instruct')
    return createWebGpuExecutor(spec, weights, { contextLength: 1024 })
  },
  0.03,
  { cases, tie: 0.03 },
)
