import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openServedModel } from '../../engine/served-model.ts'
import type { ActivationPrecision, Executor } from '../executor.ts'
import { testModelCases } from '../model-cases.ts'
import cases from '../reference/fixtures/smollm2-reference.json'
import { createWasmExecutor } from './executor.ts'
import { distances } from './int8-distance.ts'

const open = async (precision?: ActivationPrecision) => {
  const { spec, weights } = await openServedModel()
  return createWasmExecutor(spec, weights, { contextLength: 1024, precision })
}

describe('by default, with activations of 15 bits', () => testModelCases(() => open(), 0.02))

describe('in floats', () => testModelCases(() => open('f32'), 0.02))

describe('with activations of 8 bits', () => {
  let executor: Executor
  beforeAll(async () => {
    executor = await open('int8')
  }, 120_000)
  afterAll(() => executor?.dispose())

  // How the answer begins is nearly a tie, which 8 bits decide otherwise: float64 has "The" before "L" by 0.08 nats.
  test('goes on from "The" to "The capital of France is Paris."', async () => {
    const { tokens, greedy } = cases.find(({ name }) => name === 'capital')!
    const sequence = executor.createSequence()
    await executor.append(sequence, Uint32Array.from(tokens))
    const answer = [greedy[0]!]
    while (answer.length < greedy.length) {
      const isFirst = answer.length === 1
      const [result] = await executor.step([isFirst ? { sequence, token: answer[0]! } : { sequence }])
      answer.push(result!.token)
    }
    executor.free(sequence)
    expect(answer).toEqual(greedy)
  })

  test('stays near the float64 distributions', async () => {
    const { meanDivergence, topOneAgreement } = await distances(executor, cases)
    expect(meanDivergence).toBeLessThan(0.002)
    expect(topOneAgreement).toBeGreaterThan(0.93)
  }, 120_000)
})
