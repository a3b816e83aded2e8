import { expect, test, vi } from 'vitest'

vi.stubGlobal('localStorage', {
  getItem: () => null,
  setItem: () => undefined,
})
const { bestSpeed, measured, rememberSpeed, reviveMeasured } = await import('./measured.ts')

test('the last answer of each backend counts, and the fastest is told', () => {
  rememberSpeed('a', 'wasm', { tokens: 40, tokensPerSecond: 150 }, 1)
  rememberSpeed('a', 'wasm', { tokens: 40, tokensPerSecond: 140 }, 2)
  rememberSpeed('a', 'webgpu', { tokens: 40, tokensPerSecond: 90 }, 3)
  expect(bestSpeed('a')).toEqual({ backend: 'wasm', tokensPerSecond: 140, at: 2 })
  expect(bestSpeed('b')).toBeUndefined()
})

test('an answer of a few words, or without a measure, says nothing', () => {
  rememberSpeed('c', 'wasm', { tokens: 2, tokensPerSecond: 900 }, 1)
  rememberSpeed('c', 'wasm', { tokens: 50, tokensPerSecond: Number.NaN }, 1)
  expect(measured.value.c).toBeUndefined()
})

test.each([null, 7, 'x', [1], { a: 1 }, { a: { wasm: { tokensPerSecond: 'fast', at: 1 } } }])(
  'what is stored and makes no sense is left out: %j',
  (stored) => {
    expect(reviveMeasured(stored)).toEqual({})
  },
)

test('what is stored and makes sense is kept', () => {
  const stored = { a: { wasm: { tokensPerSecond: 12, at: 5, more: true } } }
  expect(reviveMeasured(stored)).toEqual({ a: { wasm: { tokensPerSecond: 12, at: 5 } } })
})
