import { expect, test } from 'vitest'
import { isTooMuch, memoryNeed } from './memory-need.ts'

const facts = {
  ...{ name: 'Tiny', architecture: 'llama', parameters: 1e6, quantisation: 'Q4_1', contextLength: 2048 },
  sizeBytes: 100,
  memory: [
    { backend: 'webgpu', totalBytes: 300, contextLength: 2048 },
    { backend: 'wasm', totalBytes: 250, contextLength: 2048 },
    { backend: 'ort', totalBytes: 900, contextLength: 2048 },
  ],
} as const

test('a named backend takes what it takes, and a free choice what the hungrier of its two would', () => {
  expect(memoryNeed(facts, 'ort')).toBe(900)
  expect(memoryNeed(facts, 'wasm')).toBe(250)
  expect(memoryNeed(facts, 'auto')).toBe(300)
})

test('a backend that cannot run it takes nothing: the load says why', () => {
  const memory = [{ backend: 'webgpu', totalBytes: 300, contextLength: 2048, problem: 'No WebGPU.' }] as const
  expect(memoryNeed({ ...facts, memory }, 'webgpu')).toBe(0)
})

test('nothing is too much where the device does not say what it has', () => {
  expect(isTooMuch(5e9, undefined)).toBe(false)
  expect(isTooMuch(5e9, 4e9)).toBe(true)
  expect(isTooMuch(4e9, 4e9)).toBe(false)
})
