import type { Binding } from './bindings.ts'
import { bindGroupLayout, createBindGroup } from './bindings.ts'
import type { Gpu } from './gpu.ts'

/** What a kernel is before it meets buffers: its WGSL and the numbers that shape it. */
export interface KernelSource {
  /** Names the kernel in errors, captures and the pipeline cache. */
  readonly label: string
  /** Complete WGSL with one entry point `main`: shared pieces first, then the kernel. */
  readonly code: string
  /** Values of `override` constants. */
  readonly constants: Readonly<Record<string, number>>
}

/** A pipeline with its buffers, ready to be recorded any number of times. */
export interface Dispatch {
  readonly label: string
  readonly pipeline: GPUComputePipeline
  readonly bindGroup: GPUBindGroup
  /** Workgroups in x, y, z for a batch of `numRows` rows. */
  readonly workgroups: (numRows: number) => readonly [number, number, number]
}

/**
 * Compiles `source` (once for each code, constants and binding kinds) and binds `bindings` to @group(0), in order.
 * @throws Error with the compiler's messages if the WGSL is wrong
 */
export async function prepareDispatch(
  gpu: Gpu,
  source: KernelSource,
  bindings: readonly Binding[],
  workgroups: Dispatch['workgroups'],
): Promise<Dispatch> {
  const layout = bindGroupLayout(gpu, bindings)
  const pipeline = await compile(gpu, source, layout, bindings)
  return {
    label: source.label,
    pipeline,
    bindGroup: createBindGroup(gpu, source.label, layout, bindings),
    workgroups,
  }
}

/** Records a dispatch for `numRows` rows. */
export function encodeDispatch(
  gpu: Gpu,
  pass: GPUComputePassEncoder,
  dispatch: Dispatch,
  numRows: number,
): void {
  const [x, y, z] = dispatch.workgroups(numRows)
  if (x === 0 || y === 0 || z === 0) return
  gpu.counters.dispatches += 1
  pass.setPipeline(dispatch.pipeline)
  pass.setBindGroup(0, dispatch.bindGroup)
  pass.dispatchWorkgroups(x, y, z)
}

function compile(
  gpu: Gpu,
  { label, code, constants }: KernelSource,
  layout: GPUBindGroupLayout,
  bindings: readonly Binding[],
): Promise<GPUComputePipeline> {
  const key = JSON.stringify([code, constants, bindings.map(({ kind }) => kind)])
  const cached = gpu.pipelines.get(key)
  if (cached !== undefined) return cached
  const module = gpu.device.createShaderModule({ label, code })
  const pipeline = gpu.device
    .createComputePipelineAsync({
      label,
      layout: gpu.device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: 'main', constants },
    })
    .catch(async (error) => {
      throw new Error(await compilerMessage(label, module, error), { cause: error })
    })
  gpu.pipelines.set(key, pipeline)
  return pipeline
}

/** What the compiler said, with the line it said it of; a pipeline's own error only says that the module is invalid. */
async function compilerMessage(label: string, module: GPUShaderModule, error: unknown): Promise<string> {
  const { messages } = await module.getCompilationInfo()
  const errors = messages.filter(({ type }) => type === 'error')
  if (errors.length === 0) return `${label}: ${error}`
  return errors.map(({ lineNum, linePos, message }) => `${label}:${lineNum}:${linePos} ${message}`).join('\n')
}
