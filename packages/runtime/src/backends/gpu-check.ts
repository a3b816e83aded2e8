// What `npm run gpu-check` measures: our engine on a device that Dawn opened, without a browser and without a model file.

import type { GgmlType } from '../formats/ggml-types.ts'
import type { DecodeVariant, Executor, StepResult } from './executor.ts'
import { type ModelShape, randomModel } from './random-model.ts'
import { createReferenceExecutor } from './reference/executor.ts'
import { tinyModel } from './reference/tiny-model.ts'
import { createWebGpuExecutor } from './webgpu/executor.ts'
import type { Gpu } from './webgpu/gpu.ts'
import { measureStreaming } from './webgpu/streaming-speed.ts'
import type { VariantTimes } from './webgpu/time-variants.ts'

export { modelShapes } from './random-model.ts'
export { gpuOf } from './webgpu/gpu.ts'
export { measureKernels } from './webgpu/kernel-speeds.ts'

/** Opens a device; the executor that gets it destroys it. */
export type OpenGpu = () => Promise<Gpu>

/** Encodings whose planes the kernels read each in their own way. */
export const checkedTypes: readonly GgmlType[] = ['Q4_0', 'Q4_1', 'Q8_0', 'Q4_K', 'F16']

export interface Correctness {
  readonly type: GgmlType
  /** Of the log-probabilities of every token, over a prompt in pieces and the steps after it. */
  readonly worstError: number
  readonly sameTokens: boolean
}

/** How far log-probabilities may be from float64: the bound of the executor's own tests. */
export const tolerance = 1e-3

/** Every way of building a decode step that the device can run. */
export const variantsOn = ({ hasQuads }: Gpu): readonly DecodeVariant[] =>
  hasQuads ? ['base', 'fused', 'quads'] : ['base', 'fused']

/** A small random model with matrices of `type`, on the device and in float64. */
export async function checkCorrectness(
  open: OpenGpu,
  type: GgmlType,
  variant: DecodeVariant,
): Promise<Correctness> {
  const { spec, weights } = tinyModel({ type })
  const options = { contextLength: 80, maxBatchSize: 2 }
  const reference = await createReferenceExecutor(spec, weights, options)
  const expected = await answer(reference)
  reference.dispose()
  const executor = await createWebGpuExecutor(spec, weights, { ...options, variant, gpu: await open() })
  try {
    const actual = await answer(executor)
    const errors = expected.flatMap(({ logprobs }, step) =>
      logprobs.map((logprob, token) => Math.abs(logprob - actual[step]!.logprobs[token]!)),
    )
    return {
      type,
      worstError: Math.max(...errors),
      sameTokens: expected.every(({ token }, step) => token === actual[step]!.token),
    }
  } finally {
    executor.dispose()
  }
}

/** Eight greedy tokens after a prompt of 37, with the log-probabilities of all tokens. */
async function answer(executor: Executor): Promise<StepResult[]> {
  const { vocabSize } = executor.spec
  const prompt = Uint32Array.from({ length: 37 }, (_, i) => (i * 29 + 3) % vocabSize)
  const everyToken = Array.from({ length: vocabSize }, (_, token) => token)
  const sequence = executor.createSequence()
  await executor.append(sequence, prompt.subarray(0, -1))
  const results: StepResult[] = []
  for (let step = 0; step < 8; step++) {
    const first = step === 0 ? { token: prompt.at(-1)! } : {}
    results.push((await executor.step([{ sequence, logprobsOf: everyToken, ...first }]))[0]!)
  }
  return results
}

export interface DecodeSpeed {
  /** How a decode step was built, and why. */
  readonly reason: string
  readonly tokensPerSecond: number
  readonly dispatchesPerToken: number
  readonly submitsPerToken: number
  readonly weightBytes: number
  readonly loadSeconds: number
  /** With each token read as it comes, of the speed of the same steps without reading any. */
  readonly streamingShare: number
}

/** Decodes `numTokens` tokens, four steps in flight, with random weights of a model's shape. */
export async function measureDecode(
  open: OpenGpu,
  shape: ModelShape,
  numTokens: number,
): Promise<DecodeSpeed> {
  const measured = new Map<string, VariantTimes>()
  const { spec, weights } = randomModel(shape)
  const start = performance.now()
  const executor = await createWebGpuExecutor(spec, weights, {
    gpu: await open(),
    contextLength: 1024,
    maxBatchSize: 1,
    remembered: {
      get: async (key) => measured.get(key),
      set: async (key, times) => void measured.set(key, times),
    },
  })
  try {
    const loadSeconds = (performance.now() - start) / 1000
    const sequence = executor.createSequence()
    const decode = async (count: number, first?: number) => {
      const inFlight: Promise<unknown>[] = []
      for (let step = 0; step < count; step++) {
        if (inFlight.length === 4) await inFlight.shift()
        const token = step === 0 && first !== undefined ? { token: first } : {}
        inFlight.push(executor.step([{ sequence, ...token }]))
      }
      await Promise.all(inFlight)
    }
    await decode(4, 1)
    const before = executor.counters()
    const { weightBytes } = executor.memory()
    const decodeStart = performance.now()
    await decode(numTokens)
    const seconds = (performance.now() - decodeStart) / 1000
    const after = executor.counters()
    // Before the next device has the same weights.
    executor.dispose()
    const streaming = await open()
    const speed = await measureStreaming(streaming, spec, weights, numTokens, executor.device.decode!.variant)
    streaming.device.destroy()
    return {
      reason: executor.device.decode!.reason,
      streamingShare: speed.tokensPerSecond / speed.unreadTokensPerSecond,
      tokensPerSecond: numTokens / seconds,
      dispatchesPerToken: (after.dispatches - before.dispatches) / numTokens,
      submitsPerToken: (after.submits - before.submits) / numTokens,
      weightBytes,
      loadSeconds,
    }
  } finally {
    executor.dispose()
  }
}
