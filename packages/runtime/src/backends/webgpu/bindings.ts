import type { Gpu } from './gpu.ts'

/** A buffer, or a part of one, as a shader sees it. */
export interface Binding {
  readonly kind: 'read-only-storage' | 'storage' | 'uniform'
  readonly buffer: GPUBuffer
}

/** `var<storage, read>` */
export const reads = (buffer: GPUBuffer): Binding => ({ kind: 'read-only-storage', buffer })

/** `var<storage, read_write>` */
export const writes = (buffer: GPUBuffer): Binding => ({ kind: 'storage', buffer })

/** `var<uniform>` */
export const uniform = (buffer: GPUBuffer): Binding => ({ kind: 'uniform', buffer })

/**
 * Explicit, because layout 'auto' drops a binding that a shader does not use, and the invalid submit that follows looks
 * like a very fast kernel.
 */
export function bindGroupLayout(gpu: Gpu, bindings: readonly Binding[]): GPUBindGroupLayout {
  return gpu.device.createBindGroupLayout({
    entries: bindings.map(({ kind }, binding) => ({
      binding,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type: kind },
    })),
  })
}

export function createBindGroup(
  gpu: Gpu,
  label: string,
  layout: GPUBindGroupLayout,
  bindings: readonly Binding[],
): GPUBindGroup {
  gpu.counters.bindGroupsCreated += 1
  return gpu.device.createBindGroup({
    label,
    layout,
    entries: bindings.map(({ buffer }, binding) => ({ binding, resource: { buffer } })),
  })
}
