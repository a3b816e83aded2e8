import tanhWgsl from '#shaders/common/bounded_tanh.wgsl?raw'
import geluTanhWgsl from '#shaders/common/gelu_tanh.wgsl?raw'
import siluWgsl from '#shaders/common/silu.wgsl?raw'
import type { MlpSpec } from '../../transformer-spec.ts'

export type Activation = MlpSpec['activation']

/** WGSL that declares `activate`. */
export const activationWgsl: Readonly<Record<Activation, string>> = {
  silu: siluWgsl,
  gelu_tanh: geluTanhWgsl,
}

export { tanhWgsl }
