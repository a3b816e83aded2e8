import gluWgsl from '#shaders/glu.wgsl?raw'
import type { BatchBuffers } from '../batch.ts'
import { reads, writes } from '../bindings.ts'
import { type Dispatch, prepareDispatch } from '../dispatch.ts'
import type { Gpu } from '../gpu.ts'
import { type Activation, activationWgsl } from './activation.ts'

export interface GluBindings {
  /** (batch rows, 2 * intermediateSize): a row's gate values, then its up values */
  readonly gateUp: GPUBuffer
  /** (batch rows, intermediateSize) */
  readonly output: GPUBuffer
  readonly intermediateSize: number
  readonly activation: Activation
  readonly batch: BatchBuffers
}

/** y = activation(gate) * up. Shazeer 2020. */
export function prepareGlu(gpu: Gpu, bindings: GluBindings): Promise<Dispatch> {
  const { gateUp, output, intermediateSize, activation } = bindings
  return prepareDispatch(
    gpu,
    {
      label: `glu_${activation}`,
      code: activationWgsl[activation] + gluWgsl,
      constants: { intermediateSize },
    },
    [reads(gateUp), writes(output)],
    (numRows) => [Math.ceil(intermediateSize / 64), numRows, 1],
  )
}
