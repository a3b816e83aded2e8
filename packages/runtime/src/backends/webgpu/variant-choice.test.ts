import { describe, expect, test } from 'vitest'
import { BrasaError } from '../../errors.ts'
import { tinyModel } from '../reference/tiny-model.ts'
import type { Remembered } from '../remembered.ts'
import { createWebGpuExecutor } from './executor.ts'
import { openGpu } from './gpu.ts'
import { timeVariants, type VariantTimes } from './time-variants.ts'
import { chooseVariant } from './variant-choice.ts'

const limits = { contextLength: 80, maxBatchSize: 2 }
const { spec, weights } = tinyModel()

function memory(): Remembered<VariantTimes> & { readonly entries: Map<string, VariantTimes> } {
  const entries = new Map<string, VariantTimes>()
  return {
    entries,
    get: async (key) => entries.get(key),
    set: async (key, times) => void entries.set(key, times),
  }
}

/** Stands in for timing, and counts how often it was asked. */
function timerOf(times: VariantTimes | Error) {
  let calls = 0
  const time: typeof timeVariants = async () => {
    calls += 1
    if (times instanceof Error) throw times
    return times
  }
  return { time, calls: () => calls }
}

const quadsFirst: VariantTimes = { layerMs: { base: 3, quads: 2.61 }, refused: {} }

describe('the variant of a decode step', () => {
  test('is the fastest, measured once for an adapter, its kernels and a model shape', async () => {
    const gpu = await openGpu()
    const remembered = memory()
    const timer = timerOf(quadsFirst)
    const choose = (model = { spec, weights }, on = gpu) =>
      chooseVariant(on, model.spec, model.weights, { ...limits, remembered }, timer.time)
    const first = await choose()
    expect(first).toEqual({
      variant: 'quads',
      reason: '"quads" was the fastest here. For one layer: "base" 3 ms, "quads" 2.6 ms.',
      ...quadsFirst,
    })
    expect(await choose()).toEqual(first)
    expect(timer.calls()).toBe(1)
    await choose(tinyModel({ type: 'Q8_0' }))
    expect(timer.calls()).toBe(2)
    await choose(undefined, { ...gpu, adapterKey: 'another driver' })
    expect(timer.calls()).toBe(3)
    gpu.device.destroy()
  })

  test('is never one that was refused, and the reason says why', async () => {
    const gpu = await openGpu()
    const times: VariantTimes = { layerMs: { base: 3 }, refused: { quads: 'its results were off by 0.2' } }
    const choice = await chooseVariant(
      gpu,
      spec,
      weights,
      { ...limits, remembered: memory() },
      timerOf(times).time,
    )
    expect(choice.variant).toBe('base')
    expect(choice.reason).toContain('"quads" was refused: its results were off by 0.2.')
    gpu.device.destroy()
  })

  test('is the one asked for, unmeasured', async () => {
    const gpu = await openGpu()
    const timer = timerOf(quadsFirst)
    const options = { ...limits, variant: 'fused', remembered: memory() } as const
    expect(await chooseVariant(gpu, spec, weights, options, timer.time)).toMatchObject({
      variant: 'fused',
      reason: '"fused" was asked for.',
    })
    expect(timer.calls()).toBe(0)
    const plain = { ...gpu, hasQuads: false }
    await expect(chooseVariant(plain, spec, weights, { ...options, variant: 'quads' })).rejects.toMatchObject(
      {
        code: 'invalid_request',
      },
    )
    gpu.device.destroy()
  })

  test('is base where a sample does not fit, or nothing is kept: then every load measures', async () => {
    const gpu = await openGpu()
    const full = timerOf(new BrasaError('out_of_memory', { message: 'The GPU cannot hold it.' }))
    const unkept: Remembered<VariantTimes> = {
      get: () => Promise.reject(new Error('no storage')),
      set: () => Promise.reject(new Error('no storage')),
    }
    expect(
      await chooseVariant(gpu, spec, weights, { ...limits, remembered: unkept }, full.time),
    ).toMatchObject({ variant: 'base', reason: expect.stringContaining('The GPU cannot hold it.') })
    const timer = timerOf(quadsFirst)
    for (const calls of [1, 2]) {
      await chooseVariant(gpu, spec, weights, { ...limits, remembered: unkept }, timer.time)
      expect(timer.calls()).toBe(calls)
    }
    gpu.device.destroy()
  })

  test('a lost device is not a choice', async () => {
    const gpu = await openGpu()
    const lost = timerOf(new BrasaError('device_lost', { message: 'The GPU is gone.' }))
    const remembered = memory()
    await expect(
      chooseVariant(gpu, spec, weights, { ...limits, remembered }, lost.time),
    ).rejects.toMatchObject({ code: 'device_lost' })
    expect(remembered.entries.size).toBe(0)
    gpu.device.destroy()
  })
})

describe('timing variants', () => {
  test.each(['Q4_1', 'Q6_K', 'F16'] as const)('finds that all give the same in %s', async (type) => {
    const gpu = await openGpu()
    const model = tinyModel({ type, numBlocks: 2 })
    const candidates = ['base', 'fused', 'quads'] as const
    const { layerMs, refused } = await timeVariants(gpu, model.spec, model.weights, { ...limits, candidates })
    expect(refused).toEqual({})
    expect(Object.keys(layerMs).sort()).toEqual([...candidates].sort())
    for (const ms of Object.values(layerMs)) expect(ms).toBeGreaterThan(0)
    gpu.device.destroy()
  })

  test('refuses a candidate whose kernels compute something else', async () => {
    const gpu = await openGpu()
    const { createShaderModule } = gpu.device
    gpu.device.createShaderModule = (descriptor) => {
      const isQuads = descriptor.label?.endsWith('glu_quads')
      const code = isQuads
        ? descriptor.code.replace('activate(biased(', '1.01 * activate(biased(')
        : descriptor.code
      return createShaderModule.call(gpu.device, { ...descriptor, code })
    }
    const candidates = ['base', 'quads'] as const
    const { layerMs, refused } = await timeVariants(gpu, spec, weights, { ...limits, candidates })
    expect(Object.keys(layerMs)).toEqual(['base'])
    expect(refused.quads).toMatch(/off by/)
    gpu.device.destroy()
  })

  test('refuses a candidate whose kernels do not compile', async () => {
    const gpu = await openGpu()
    const { createShaderModule } = gpu.device
    gpu.device.createShaderModule = (descriptor) => {
      const isQuads = descriptor.label?.endsWith('glu_quads')
      return createShaderModule.call(gpu.device, { ...descriptor, ...(isQuads && { code: 'not WGSL' }) })
    }
    const candidates = ['base', 'quads'] as const
    const { layerMs, refused } = await timeVariants(gpu, spec, weights, { ...limits, candidates })
    expect(Object.keys(layerMs)).toEqual(['base'])
    expect(refused.quads).toMatch(/do not compile/)
    gpu.device.destroy()
  })
})

test('an executor says what was chosen, and compiles only that once it is known', async () => {
  const remembered = memory()
  const labelsOf = async () => {
    const gpu = await openGpu()
    const labels: string[] = []
    const { createComputePipelineAsync } = gpu.device
    gpu.device.createComputePipelineAsync = (descriptor) => {
      labels.push(descriptor.label ?? '')
      return createComputePipelineAsync.call(gpu.device, descriptor)
    }
    const executor = await createWebGpuExecutor(spec, weights, { ...limits, gpu, remembered })
    const { decode } = executor.device
    executor.dispose()
    return { labels, decode: decode! }
  }
  const first = await labelsOf()
  expect(Object.keys(first.decode.layerMs)).toEqual(['base', 'quads'])
  expect(first.decode.refused).toEqual({})
  const second = await labelsOf()
  expect(second.decode).toEqual(first.decode)
  expect(second.labels.length).toBeLessThan(first.labels.length)
  expect(second.labels.some((label) => label.endsWith('_quads'))).toBe(first.decode.variant === 'quads')
})
