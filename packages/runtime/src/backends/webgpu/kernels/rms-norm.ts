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
  readonly batch: BatchBuffers
  /** `serial` has no barriers, for software adapters; `parallel` is for GPUs. Left out, the adapter decides. */
  readonly variant?: 'serial' | 'parallel'
}

/** Values that one thread of the serial variant writes, after it has added up the whole row's squares. */
const run = 16

/** y = x / sqrt(mean(x^2) + epsilon) * gain. Zhang & Sennrich 2019. */
export function prepareRmsNorm(gpu: Gpu, bindings: RmsNormBindings): Promise<Dispatch> {
  const { input, gain, output, hiddenSize, epsilon } = bindings
  const variant = bindings.variant ?? (gpu.isSoftware ? 'serial' : 'parallel')
  const serial = variant === 'serial'
  return prepareDispatch(
    gpu,
    {
      label: `rms_norm_${variant}`,
      code: serial ? serialWgsl : parallelWgsl,
      constants: { hiddenSize, epsilon, ...(serial ? { run } : {}) },
    },
    [reads(input), reads(gain), writes(output)],
    (numRows) => [serial ? Math.ceil(hiddenSize / run / 4) : 1, numRows, 1],
  )
}
