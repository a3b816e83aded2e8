import { expect, test } from 'vitest'
import { fitOf, largestWithin } from './fit.ts'

const facts = {
  ...{ name: 'Tiny', architecture: 'llama', parameters: 1e6, quantisation: 'Q4_1', contextLength: 2048 },
  sizeBytes: 100,
  memory: [
    { backend: 'webgpu', totalBytes: 300, problem: 'This browser does not offer WebGPU.' },
    { backend: 'wasm', totalBytes: 250 },
    { backend: 'ort', totalBytes: 900 },
  ],
} as const

test('the backend that takes least and can run it says what it takes', () => {
  expect(fitOf(100, 0, facts, {})).toEqual({ kind: 'fits', totalBytes: 250, backend: 'wasm' })
})

test('of a model that nobody has looked at, the weights alone are known', () => {
  expect(fitOf(100, 100, undefined, {})).toEqual({ kind: 'weights', sizeBytes: 100 })
  expect(fitOf(100, 100, undefined, { memoryBytes: 99 })).toEqual({
    ...{ kind: 'over_memory', neededBytes: 100, limitBytes: 99 },
  })
})

test('memory is told before storage, and what is here already needs no room', () => {
  expect(fitOf(100, 100, facts, { memoryBytes: 200, freeBytes: 10 }).kind).toBe('over_memory')
  expect(fitOf(100, 100, facts, { freeBytes: 10 })).toEqual({
    ...{ kind: 'over_storage', neededBytes: 100, freeBytes: 10 },
  })
  expect(fitOf(100, 5, facts, { freeBytes: 10 }).kind).toBe('fits')
})

test('where no backend can run it, the sentence of the last resort says why', () => {
  const memory = facts.memory.map((need) => ({ ...need, problem: `Not on ${need.backend}.` }))
  expect(fitOf(100, 0, { ...facts, memory }, {})).toEqual({ kind: 'problem', message: 'Not on wasm.' })
})

test('what to take instead is the largest that has room with a conversation', () => {
  const models = [{ sizeBytes: 98 }, { sizeBytes: 490 }, { sizeBytes: 250 }]
  expect(largestWithin(models, 400)).toEqual({ sizeBytes: 250 })
  expect(largestWithin(models, 735)).toEqual({ sizeBytes: 490 })
  expect(largestWithin(models, 100)).toBeUndefined()
})
