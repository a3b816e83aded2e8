import { BrasaError } from '../../errors.ts'
import type { DeviceCounters } from '../executor.ts'

/** One GPU device and the count of what was asked of it. */
export interface Gpu {
  readonly device: GPUDevice
  /** Vendor, architecture and description as the adapter gives them. */
  readonly adapterName: string
  /** All that the adapter says of itself: what was measured on one is not true of another. */
  readonly adapterKey: string
  /** A CPU pretends to be a GPU: barriers and shifts cost what they never cost on hardware. */
  readonly isSoftware: boolean
  /** Subgroups are there and always have four lanes. */
  readonly hasQuads: boolean
  readonly counters: { -readonly [Name in keyof DeviceCounters]: DeviceCounters[Name] }
  /** Compiled once for a shader and its constants, shared by every dispatch that asks again. */
  readonly pipelines: Map<string, Promise<GPUComputePipeline>>
  /** What `uniformOf` gave, by contents. */
  readonly uniforms: Map<string, GPUBuffer>
}

/**
 * Asks for an adapter and a device with subgroups where there are any, and default limits, save the buffers' sizes and number,
 * which are the adapter's own.
 * @throws BrasaError `webgpu_unavailable`
 */
export async function openGpu(): Promise<Gpu> {
  const adapter = await requestAdapter()
  const { maxBufferSize, maxStorageBufferBindingSize, maxStorageBuffersPerShaderStage } = adapter.limits
  const device = await adapter.requestDevice({
    requiredLimits: { maxBufferSize, maxStorageBufferBindingSize, maxStorageBuffersPerShaderStage },
    requiredFeatures: (['subgroups'] as const).filter((feature) => adapter.features.has(feature)),
  })
  return gpuOf(device, adapter.info)
}

/** @throws BrasaError `webgpu_unavailable` that says how to turn it on */
export async function requestAdapter(): Promise<GPUAdapter> {
  if (typeof navigator === 'undefined' || !('gpu' in navigator) || navigator.gpu === undefined) {
    throw new BrasaError('webgpu_unavailable', {
      message:
        'This browser has no WebGPU. Use Chrome or Edge 113 or later, Safari 26 or Firefox 141, over https or localhost; on Linux, turn on chrome://flags/#enable-unsafe-webgpu.',
    })
  }
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' })
  if (adapter === null) {
    throw new BrasaError('webgpu_unavailable', {
      message:
        'This browser has WebGPU but offers no adapter. Turn on hardware acceleration in its settings, update the graphics driver, or enable chrome://flags/#enable-unsafe-webgpu.',
    })
  }
  return adapter
}

export const adapterName = ({ vendor, architecture, description }: GPUAdapterInfo): string =>
  [vendor, architecture, description].filter((part) => part !== '').join(' ')

export const isSoftwareAdapter = ({
  isFallbackAdapter,
  architecture,
  description,
}: GPUAdapterInfo): boolean =>
  isFallbackAdapter || /swiftshader|llvmpipe/i.test(`${architecture} ${description}`)

/** Wraps a device that the caller opened. */
export function gpuOf(device: GPUDevice, info: GPUAdapterInfo): Gpu {
  return {
    device,
    adapterName: adapterName(info),
    adapterKey: JSON.stringify([info.vendor, info.architecture, info.device, info.description]),
    isSoftware: isSoftwareAdapter(info),
    hasQuads: device.features.has('subgroups') && info.subgroupMinSize === 4 && info.subgroupMaxSize === 4,
    counters: {
      dispatches: 0,
      submits: 0,
      buffersCreated: 0,
      bindGroupsCreated: 0,
      queueWrites: 0,
      bytesRead: 0,
    },
    pipelines: new Map(),
    uniforms: new Map(),
  }
}

/** A storage buffer of at least `byteLength` bytes, zeroed, that can be written, read back and copied. */
export function createStorageBuffer(gpu: Gpu, label: string, byteLength: number): GPUBuffer {
  return createBuffer(
    gpu,
    label,
    byteLength,
    GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC,
  )
}

export function createBuffer(
  gpu: Gpu,
  label: string,
  byteLength: number,
  usage: GPUBufferUsageFlags,
): GPUBuffer {
  gpu.counters.buffersCreated += 1
  // Bindings must not be empty, and vec4 views want whole 16 bytes.
  const size = Math.max(16, Math.ceil(byteLength / 16) * 16)
  return gpu.device.createBuffer({ label, size, usage })
}

/** A uniform buffer that holds `words` (at most four) for good: the same one for the same words. */
export function uniformOf(gpu: Gpu, words: readonly number[]): GPUBuffer {
  const key = words.join()
  const known = gpu.uniforms.get(key)
  if (known !== undefined) return known
  const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST
  const buffer = createBuffer(gpu, `uniform ${key}`, 16, usage)
  writeBuffer(gpu, buffer, 0, Uint32Array.from(words))
  gpu.uniforms.set(key, buffer)
  return buffer
}

export function writeBuffer(
  gpu: Gpu,
  buffer: GPUBuffer,
  byteOffset: number,
  data: ArrayBufferView<ArrayBuffer>,
): void {
  gpu.counters.queueWrites += 1
  gpu.device.queue.writeBuffer(buffer, byteOffset, data)
}

export function submit(gpu: Gpu, commands: GPUCommandBuffer): void {
  gpu.counters.submits += 1
  gpu.device.queue.submit([commands])
}
