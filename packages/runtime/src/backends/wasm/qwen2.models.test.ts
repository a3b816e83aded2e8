import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openServedModel } from '../../engine/served-model.ts'
import type { Executor } from '../executor.ts'
import { testModelCases } from '../model-cases.ts'
import cases from '../reference/fixtures/qwen2.5-coder-0.5b-reference.json'
import { createWasmExecutor } from './executor.ts'
import { distances } from './int8-distance.ts'

const open = async (precision?: 'int8' | 'f32') => {
  const { spec, weights } = await openServedModel('qwen2.5-coder-0.5b-instruct')
  return createWasmExecutor(spec, weights, { contextLength: 1024, precision })
}

describe('by default', () => testModelCases(() => open(), 0.03, { cases, tie: 0.03 }))

// Several times as slow: one case says that the file is read right.
describe('in floats', () => testModelCases(() => open('f32'), 0.03, { cases: cases.slice(0, 1), tie: 0.03 }))

describe('with activations of 8 bits', () => {
  let executor: Executor
  beforeAll(async () => {
    executor = await open('int8')
  }, 240_000)
  afterAll(() => executor?.dispose())

  test('stays near the float64 distributions', async () => {
    const { meanDivergence, topOneAgreement } = await distances(executor, cases)
    expect(meanDivergence).toBeLessThan(0.0005)
    expect(topOneAgreement).toBeGreaterThan(0.95)
  }, 240_000)
})
