import { expect, test } from 'vitest'
import { fitOf, largestWithin } from './fit.ts'

const facts = {
  ...{ name: 'Tiny', architecture: 'llama', parameters: 1e6, quantisation: 'Q4_1', contextLength: 2048 },
  sizeBytes: 100,
  memory: [
    { backend: 'webgpu', totalBytes: 300, contextLength: 2048, problem: 'No WebGPU.' },
    { backend: 'wasm', totalBytes: 250, contextLength: 2048 },
    { backend: 'ort', totalBytes: 900, contextLength: 2048 },
  ],
} as const

test('the backend that takes least and can run it says what it takes, and with how many tokens', () => {
  expect(fitOf(100, 0, facts, undefined, {})).toEqual({
    ...{ kind: 'fits', totalBytes: 250, contextLength: 2048, backend: 'wasm' },
  })
})

const estimate = { bytes: 150, contextLength: 2048 }

test('of a model that nobody has looked at, the catalogue says what it takes', () => {
  const taken = { totalBytes: 150, contextLength: 2048 }
  expect(fitOf(100, 100, undefined, estimate, { hasPlenty: true })).toEqual({ kind: 'fits', ...taken })
  expect(fitOf(100, 100, undefined, estimate, { memoryBytes: 150 })).toEqual({ kind: 'fits', ...taken })
  expect(fitOf(100, 100, undefined, estimate, { memoryBytes: 149 })).toEqual({
    ...{ kind: 'over_memory', neededBytes: 150, limitBytes: 149 },
  })
  // A device that does not say how much it has: nothing is promised.
  expect(fitOf(100, 100, undefined, estimate, {})).toEqual({ kind: 'takes', ...taken })
  // What was read of its header counts more.
  expect(fitOf(100, 0, facts, estimate, {})).toMatchObject({ kind: 'fits', totalBytes: 250 })
})

test('of one that a catalogue says nothing more of, the weights alone are known', () => {
  expect(fitOf(100, 100, undefined, undefined, {})).toEqual({ kind: 'weights', sizeBytes: 100 })
  expect(fitOf(100, 100, undefined, undefined, { memoryBytes: 99 }).kind).toBe('over_memory')
})

test('memory is told before storage, and what is here already needs no room', () => {
  expect(fitOf(100, 100, facts, undefined, { memoryBytes: 200, freeBytes: 10 }).kind).toBe('over_memory')
  expect(fitOf(100, 100, facts, undefined, { freeBytes: 10 })).toEqual({
    ...{ kind: 'over_storage', neededBytes: 100, freeBytes: 10 },
  })
  expect(fitOf(100, 5, facts, undefined, { freeBytes: 10 })).toMatchObject({ kind: 'fits', roomForBytes: 5 })
  expect(fitOf(100, 0, facts, undefined, { freeBytes: 10 })).not.toHaveProperty('roomForBytes')
  expect(fitOf(100, 5, undefined, estimate, {})).not.toHaveProperty('roomForBytes')
})

test('where no backend can run it, the sentence of the last resort says why', () => {
  const memory = facts.memory.map((need) => ({ ...need, problem: `Not on ${need.backend}.` }))
  expect(fitOf(100, 0, { ...facts, memory }, undefined, {})).toEqual({
    kind: 'problem',
    message: 'Not on wasm.',
  })
})

test('what to take instead is the largest that has room with a conversation', () => {
  const models = [{ sizeBytes: 98 }, { sizeBytes: 490 }, { sizeBytes: 250 }]
  expect(largestWithin(models, 400)).toEqual({ sizeBytes: 250 })
  expect(largestWithin(models, 735)).toEqual({ sizeBytes: 490 })
  expect(largestWithin(models, 100)).toBeUndefined()
})
