import { describe, expect, test } from 'vitest'
import { BrasaError, type ErrorCode } from '../errors.ts'
import type { BackendChoice } from '../protocol.ts'
import { createFallbackPolicy } from './fallback.ts'

const lost = () => new BrasaError('device_lost', { message: 'The GPU was lost.' })
const failedToStart = (code: ErrorCode, failedBackend = 'webgpu') =>
  new BrasaError(code, { message: 'No adapter.', details: { failedBackend } })

/** What the policy says of losses at these seconds. */
function afterLosses(seconds: readonly number[], choice: BackendChoice = 'auto') {
  let time = 0
  const policy = createFallbackPolicy(choice, () => time)
  return seconds.map((second) => {
    time = 1000 * second
    return policy.after(lost()) !== undefined
  })
}

describe('createFallbackPolicy', () => {
  test.each(['webgpu_unavailable', 'out_of_memory', 'device_lost', 'internal'] as const)(
    'a start that fails with %s is a reason at once, and its message is quoted',
    (code) => {
      const policy = createFallbackPolicy('auto')
      expect(policy.after(failedToStart(code))).toEqual({
        backend: 'wasm',
        reason: 'WebGPU could not be used: No adapter.',
      })
    },
  )

  test('an error that does not concern the backend is none', () => {
    const policy = createFallbackPolicy('auto')
    for (const code of ['hash_mismatch', 'worker_lost', 'aborted', 'out_of_memory', 'internal'] as const)
      expect(policy.after(new BrasaError(code, { message: 'Wrong.' }))).toBeUndefined()
  })

  test.each([
    { seconds: [0, 1, 2], moves: [false, false, true] },
    { seconds: [0, 30, 59.9], moves: [false, false, true] },
    { seconds: [0, 30, 61], moves: [false, false, false] },
    { seconds: [0, 1, 62, 63], moves: [false, false, false, false] },
    { seconds: [0, 30, 61, 89], moves: [false, false, false, true] },
  ])('losses at $seconds s: $moves', ({ seconds, moves }) => {
    expect(afterLosses(seconds)).toEqual(moves)
  })

  test('the reason says how often the GPU was lost', () => {
    const policy = createFallbackPolicy('auto', () => 0)
    policy.after(lost())
    policy.after(lost())
    expect(policy.after(lost())?.reason).toMatch(/three times within a minute/)
  })

  test('behind WebGPU comes WebAssembly, and behind that ONNX Runtime', () => {
    const policy = createFallbackPolicy('auto')
    expect(policy.after(failedToStart('webgpu_unavailable'))?.backend).toBe('wasm')
    expect(policy.after(failedToStart('out_of_memory', 'wasm'))).toEqual({
      backend: 'ort',
      reason: 'WebAssembly could not be used: No adapter.',
    })
    expect(policy.after(failedToStart('out_of_memory', 'wasm'))).toBeUndefined()
  })

  test('WebAssembly that was chosen first is never left for the GPU', () => {
    const policy = createFallbackPolicy('auto')
    expect(policy.after(failedToStart('out_of_memory', 'wasm'))?.backend).toBe('ort')
    expect(policy.after(failedToStart('webgpu_unavailable'))).toBeUndefined()
  })

  test('it is given once: what follows is the fallback’s own trouble', () => {
    const policy = createFallbackPolicy('auto')
    policy.after(failedToStart('webgpu_unavailable'))
    expect(policy.after(failedToStart('webgpu_unavailable'))).toBeUndefined()
  })

  test('a backend that was asked for by name is never left', () => {
    for (const choice of ['webgpu', 'wasm', 'ort', 'reference'] as const) {
      expect(createFallbackPolicy(choice).after(failedToStart('webgpu_unavailable'))).toBeUndefined()
      expect(afterLosses([0, 1, 2, 3], choice)).toEqual([false, false, false, false])
    }
  })
})
