import { expect, test } from 'vitest'
import type { DeviceCounters, Executor, Sequence } from '../executor.ts'
import { createReferenceExecutor } from '../reference/executor.ts'
import { optionModel, optionModels } from '../reference/option-models.ts'
import { tinyModel } from '../reference/tiny-model.ts'
import { type DecodeVariant, decodeVariants } from './decode-variant.ts'
import { createWebGpuExecutor, type WebGpuExecutor } from './executor.ts'
import { openGpu } from './gpu.ts'

/** What is particular to this backend; what it shares with the others is in conformance.test.ts. */

const { spec, weights } = tinyModel({ numBlocks: 3 })

async function started(variant?: DecodeVariant) {
  const gpu = await openGpu()
  const executor = await createWebGpuExecutor(spec, weights, { gpu, variant })
  const sequence = executor.createSequence()
  await executor.append(sequence, new Uint32Array([1, 2, 3]))
  await executor.step([{ sequence, token: 4 }])
  return { gpu, executor, sequence }
}

/** Decodes with four steps in flight, as the engine does. */
async function decode(executor: WebGpuExecutor, sequence: Sequence, numTokens: number): Promise<number[]> {
  const inFlight: Promise<readonly { token: number }[]>[] = []
  const tokens: number[] = []
  for (let i = 0; i < numTokens; i++) {
    if (inFlight.length === 4) tokens.push((await inFlight.shift()!)[0]!.token)
    inFlight.push(executor.step([{ sequence }]))
  }
  for (const step of inFlight) tokens.push((await step)[0]!.token)
  return tokens
}

const difference = (after: DeviceCounters, before: DeviceCounters) =>
  Object.fromEntries(
    Object.entries(after).map(([name, value]) => [name, value - before[name as keyof DeviceCounters]]),
  )

test('a steady step is one submit that creates nothing, writes nothing and reads back one token', async () => {
  const { executor, sequence } = await started()
  const before = executor.counters()
  await decode(executor, sequence, 10)
  const { dispatches, ...rest } = difference(executor.counters(), before)
  expect(rest).toEqual({
    submits: 10,
    buffersCreated: 0,
    bindGroupsCreated: 0,
    queueWrites: 0,
    bytesRead: 40,
  })
  expect(dispatches! / 10).toBeLessThanOrEqual(9 * spec.blocks.length + 5)
  executor.dispose()
})

test.each([
  ['fused', 5],
  ['quads', 6],
] as const)(
  'a steady step of %s is %i dispatches a layer and four, and creates and writes nothing',
  async (variant, perLayer) => {
    const { executor, sequence } = await started(variant)
    const before = executor.counters()
    await decode(executor, sequence, 10)
    expect(difference(executor.counters(), before)).toEqual({
      dispatches: 10 * (perLayer * spec.blocks.length + 4),
      submits: 10,
      buffersCreated: 0,
      bindGroupsCreated: 0,
      queueWrites: 0,
      bytesRead: 40,
    })
    executor.dispose()
  },
)

test.each(decodeVariants)('%s: the counts are what the device is really asked for', async (variant) => {
  const { gpu, executor, sequence } = await started(variant)
  const asked = { createBuffer: 0, createBindGroup: 0, writeBuffer: 0, submit: 0, dispatchWorkgroups: 0 }
  const count = (object: object, name: keyof typeof asked) => {
    const original = (object as Record<string, (...args: unknown[]) => unknown>)[name]!
    Object.defineProperty(object, name, {
      configurable: true,
      value(this: unknown, ...args: unknown[]) {
        asked[name] += 1
        return original.apply(this, args)
      },
    })
    return () => Object.defineProperty(object, name, { configurable: true, writable: true, value: original })
  }
  const restore = [
    count(gpu.device, 'createBuffer'),
    count(gpu.device, 'createBindGroup'),
    count(gpu.device.queue, 'writeBuffer'),
    count(gpu.device.queue, 'submit'),
    count(GPUComputePassEncoder.prototype, 'dispatchWorkgroups'),
  ]
  const before = executor.counters()
  await decode(executor, sequence, 6)
  for (const undo of restore) undo()
  const counted = difference(executor.counters(), before)
  expect(asked).toEqual({
    createBuffer: counted.buffersCreated,
    createBindGroup: counted.bindGroupsCreated,
    writeBuffer: counted.queueWrites,
    submit: counted.submits,
    dispatchWorkgroups: counted.dispatches,
  })
  expect(asked.submit).toBe(6)
  executor.dispose()
})

test('tokens fed back on the device are those that the host would feed', async () => {
  const { executor, sequence } = await started()
  const fedBack = await decode(executor, sequence, 12)
  executor.rollback(sequence, 4)
  const forced: number[] = []
  let token = (await executor.step([{ sequence: await rewound(executor), token: 4 }]))[0]!.token
  for (let i = 0; i < 12; i++) {
    const [result] = await executor.step([{ sequence, token }])
    token = result!.token
    forced.push(token)
  }
  expect(forced).toEqual(fedBack)
  executor.dispose()
})

/** A second sequence with the prompt of `started`, to learn its first token. */
async function rewound(executor: WebGpuExecutor): Promise<Sequence> {
  const sequence = executor.createSequence()
  await executor.append(sequence, new Uint32Array([1, 2, 3]))
  return sequence
}

test.each([
  ['every option at once', optionModels['everything at once']!],
  ['heads of 256', { headDim: 256, numHeads: 2, numKvHeads: 1 }],
])(
  'the kernels for GPUs give what the reference does: %s',
  async (_, options) => {
    const { spec, weights } = optionModel(options)
    const tokens = Uint32Array.from({ length: 163 }, (_, i) => (i * 29 + 3) % 97)
    const answersOf = async (executor: Executor) => {
      const sequence = executor.createSequence()
      await executor.append(sequence, tokens.subarray(0, -2))
      const answers: number[] = []
      for (const token of tokens.subarray(-2)) {
        const [result] = await executor.step([{ sequence, token, topLogprobs: 5 }])
        answers.push(...result!.topLogprobs.map(({ logprob }) => logprob))
      }
      executor.dispose()
      return answers
    }
    const limits = { contextLength: 260, maxBatchSize: 3 }
    const gpu = { ...(await openGpu()), isSoftware: false }
    const actual = await answersOf(await createWebGpuExecutor(spec, weights, { ...limits, gpu }))
    const expected = await answersOf(await createReferenceExecutor(spec, weights, limits))
    expect(actual).toHaveLength(10)
    for (const [i, logprob] of actual.entries()) expect(logprob).toBeCloseTo(expected[i]!, 3)
  },
  120_000,
)

test('a device destroyed in mid-answer is device_lost, for the steps in flight and for every call after', async () => {
  const { gpu, executor, sequence } = await started()
  const steps = [executor.step([{ sequence }]), executor.step([{ sequence }])]
  gpu.device.destroy()
  for (const step of await Promise.allSettled(steps)) {
    if (step.status === 'rejected') expect(step.reason).toMatchObject({ code: 'device_lost' })
  }
  await gpu.device.lost
  await expect(executor.step([{ sequence }])).rejects.toMatchObject({ code: 'device_lost' })
  await expect(executor.append(sequence, new Uint32Array([1]))).rejects.toMatchObject({ code: 'device_lost' })
  expect(() => executor.createSequence()).toThrow(/GPU/)
})

test('a device destroyed in mid-prefill is device_lost', async () => {
  const { gpu, executor, sequence } = await started()
  const appended = executor.append(sequence, new Uint32Array(120).fill(7))
  gpu.device.destroy()
  await expect(appended).rejects.toMatchObject({ code: 'device_lost' })
})

test('an upload that is stopped says so and frees the device', async () => {
  const gpu = await openGpu()
  const controller = new AbortController()
  const loading = createWebGpuExecutor(spec, weights, {
    gpu,
    signal: controller.signal,
    onUpload: () => controller.abort(),
  })
  await expect(loading).rejects.toMatchObject({ code: 'aborted' })
  expect((await gpu.device.lost).reason).toBe('destroyed')
})

test('disposing answers what is in flight', async () => {
  const { executor, sequence } = await started()
  const step = executor.step([{ sequence }])
  executor.dispose()
  await expect(step).rejects.toMatchObject({ code: 'disposed' })
  await expect(executor.step([{ sequence }])).rejects.toMatchObject({ code: 'disposed' })
})
