import epilogueWgsl from '#shaders/common/epilogue.wgsl?raw'
import softCapWgsl from '#shaders/common/soft_cap.wgsl?raw'
import type { BatchBuffers } from '../batch.ts'
import { type Binding, reads } from '../bindings.ts'
import type { WeightMatrix } from '../weight-matrix.ts'
import { type Activation, activationWgsl, tanhWgsl } from './activation.ts'

/** What matvec and matmul bind, and what becomes of the product: y = softCap(scale * (x W^T + bias)). */
export interface ProductBindings {
  readonly weights: WeightMatrix
  /** f32 (weights.numRows); none if absent */
  readonly bias?: GPUBuffer | undefined
  /** (batch rows, weights.numColumns) */
  readonly input: GPUBuffer
  /** (batch rows, weights.numRows), for `glu` (batch rows, weights.numRows / 2) */
  readonly output: GPUBuffer
  /**
   * `store` writes y; `add` adds it to what the output holds; `glu` (matvec only) takes W as gate rows over up rows and writes
   * activation(gate) * up, unscaled.
   */
  readonly epilogue: 'store' | 'add' | 'glu'
  /** Of `glu`: SiLU if absent. */
  readonly activation?: Activation
  /** 1 if absent. */
  readonly scale?: number | undefined
  /** No cap if absent. */
  readonly softCap?: number | undefined
  readonly batch: BatchBuffers
  /** `serial` has no barriers, for software adapters; `parallel` is for GPUs. Left out, the adapter decides. */
  readonly variant?: 'serial' | 'parallel'
}

const epilogues = { store: 0, add: 1, glu: 2 }

/** WGSL to put before a product's kernel, its constants, and the bindings to put behind the kernel's own. */
export function epilogueSource(
  { bias, epilogue, activation = 'silu', scale = 1, softCap = 0 }: ProductBindings,
  nextBinding: number,
): { code: string; constants: Record<string, number>; bindings: Binding[] } {
  const biased =
    bias === undefined
      ? 'fn biased(row: u32, sum: f32) -> f32 { return sum; }'
      : `@group(0) @binding(${nextBinding}) var<storage, read> bias: array<f32>;
fn biased(row: u32, sum: f32) -> f32 { return sum + bias[row]; }`
  return {
    code: [tanhWgsl, activationWgsl[activation], softCapWgsl, biased, epilogueWgsl].join('\n'),
    constants: { epilogue: epilogues[epilogue], outputScale: scale, softCap },
    bindings: bias === undefined ? [] : [reads(bias)],
  }
}
