import { afterEach, describe, expect, test, vi } from 'vitest'
import { tinyModel } from '../backends/reference/tiny-model.ts'
import type { BrasaError } from '../errors.ts'
import { type BackendMemory, planMemory, totalBytes } from './memory-plan.ts'

const gibibyte = 2 ** 30
const { spec: tiny, weights } = tinyModel()
const spec = { ...tiny, contextLength: 20_000 }
const { tensors } = weights

/** 1 GiB of weights, and 128 KiB a token: 1 GiB for 8,192. */
const backend: BackendMemory = {
  backend: 'webgpu',
  estimate: (_, __, contextLength) => ({
    weightBytes: gibibyte,
    kvCacheBytes: contextLength * 128 * 1024,
    otherBytes: 0,
  }),
}

const plan = (others: Partial<BackendMemory> = {}, contextLength?: number) =>
  planMemory(spec, tensors, { ...backend, ...others }, { contextLength })

afterEach(() => vi.unstubAllGlobals())

describe('planMemory', () => {
  test.each([
    [undefined, 8192],
    [4, 2048],
    [16, 20_000],
    [1, 2048],
  ])('with %s GiB of device memory the context is %i', (deviceMemory, expected) => {
    vi.stubGlobal('navigator', { deviceMemory })
    expect(plan().contextLength).toBe(expected)
  })

  test('takes the length that was asked for, up to the model’s own', () => {
    expect(plan({}, 19_999)).toMatchObject({ contextLength: 19_999 })
    expect(() => plan({}, 20_001)).toThrow(/trained for 20000/)
  })

  test('a short model has its own length', () => {
    const short = { ...spec, contextLength: 200 }
    expect(planMemory(short, tensors, backend, {}).contextLength).toBe(200)
  })

  test('refuses more than there is, with the figures', () => {
    const { problem, memory } = plan({ maxBytes: gibibyte }, 8192)
    expect(problem).toMatchObject({
      code: 'out_of_memory',
      details: {
        ...{ backend: 'webgpu', failedBackend: 'webgpu', contextLength: 8192 },
        ...{ neededBytes: totalBytes(memory), limitBytes: gibibyte },
      },
    } satisfies Partial<BrasaError>)
    expect(problem!.message).toMatch(
      /2,048 MiB \(1,024 MiB of weights, 1,024 MiB for 8192 tokens\).*1,024 MiB/,
    )
    expect(problem!.message).not.toMatch(/contextLength/)
    expect(plan({ maxBytes: 1.6 * gibibyte }, 8192).problem!.message).toMatch(/smaller contextLength/)
    expect(plan({ maxBytes: 2 * gibibyte }, 8192).problem).toBeUndefined()
  })

  test('refuses a matrix that no buffer holds', () => {
    const largestBufferBytes = () => 5000
    const { problem } = plan({ largestBufferBytes, maxBufferBytes: 4999 })
    expect(problem).toMatchObject({
      code: 'out_of_memory',
      details: { neededBytes: 5000, limitBytes: 4999 },
    })
    expect(problem!.message).toMatch(/buffers of at most/)
    expect(plan({ largestBufferBytes, maxBufferBytes: 5000 }).problem).toBeUndefined()
  })
})
