import siluWgsl from '#shaders/common/silu.wgsl?raw'
import siluMulWgsl from '#shaders/silu_mul.wgsl?raw'
import type { BatchBuffers } from '../batch.ts'
import { reads, writes } from '../bindings.ts'
import { type Dispatch, prepareDispatch } from '../dispatch.ts'
import type { Gpu } from '../gpu.ts'

export interface SiluMulBindings {
  /** (batch rows, 2 * intermediateSize): a row's gate values, then its up values */
  readonly gateUp: GPUBuffer
  /** (batch rows, intermediateSize) */
  readonly output: GPUBuffer
  readonly intermediateSize: number
  readonly batch: BatchBuffers
}

/** y = silu(gate) * up. Shazeer 2020. */
export function prepareSiluMul(gpu: Gpu, bindings: SiluMulBindings): Promise<Dispatch> {
  const { gateUp, output, intermediateSize } = bindings
  return prepareDispatch(
    gpu,
    { label: 'silu_mul', code: siluWgsl + siluMulWgsl, constants: { intermediateSize } },
    [reads(gateUp), writes(output)],
    (numRows) => [Math.ceil(intermediateSize / 64), numRows, 1],
  )
}
