import parallelWgsl from '#shaders/rms_norm.wgsl?raw'
import serialWgsl from '#shaders/rms_norm_serial.wgsl?raw'
import type { BatchBuffers } from '../batch.ts'
import { reads, writes } from '../bindings.ts'
import { type Dispatch, prepareDispatch } from '../dispatch.ts'
import type { Gpu } from '../gpu.ts'

export interface RmsNormBindings {
  /** (batch rows, hiddenSize) */
  readonly input: GPUBuffer
  /** (hiddenSize), f32 */
  readonly gain: GPUBuffer
  /** (batch rows, hiddenSize) */
  readonly output: GPUBuffer
  readonly hiddenSize: number
  readonly epsilon: number
  /** Adds so many times the result to what the output holds, where it is not written over. */
  readonly addScale?: number | undefined
  readonly batch: BatchBuffers
  /** `serial` has no barriers, for software adapters; `parallel` is for GPUs. Left out, the adapter decides. */
  readonly variant?: 'serial' | 'parallel'
}

/**
 * Threads a row in the serial variant, each of which adds up the whole row's squares: two workgroups of four lanes.
 * On SwiftShader (hidden size 576) more threads lose: 18 cost 1.5 times as much, 36 2.3 times, the parallel variant 4 times.
 */
const serialThreads = 8

/** y = x / sqrt(mean(x^2) + epsilon) * gain. Zhang & Sennrich 2019. */
export function prepareRmsNorm(gpu: Gpu, bindings: RmsNormBindings): Promise<Dispatch> {
  const { input, gain, output, hiddenSize, epsilon, addScale } = bindings
  const variant = bindings.variant ?? (gpu.isSoftware ? 'serial' : 'parallel')
  const serial = variant === 'serial'
  const run = Math.ceil(hiddenSize / serialThreads)
  return prepareDispatch(
    gpu,
    {
      label: `rms_norm_${variant}`,
      code: serial ? serialWgsl : parallelWgsl,
      constants: {
        hiddenSize,
        epsilon,
        adds: addScale === undefined ? 0 : 1,
        outputScale: addScale ?? 1,
        ...(serial ? { run } : {}),
      },
    },
    [reads(input), reads(gain), writes(output)],
    (numRows) => [serial ? serialThreads / 4 : 1, numRows, 1],
  )
}
