import { type Dispatch, encodeDispatch } from './dispatch.ts'
import { createStorageBuffer, type Gpu, openGpu, submit, writeBuffer } from './gpu.ts'

/** For kernel tests only: one device for a test file, and its buffers' way in and out. */

let opened: Promise<Gpu> | undefined

/** The device of this test file. A validation error in any dispatch fails the next `runDispatches`. */
export function testGpu(): Promise<Gpu> {
  opened ??= openGpu()
  return opened
}

export function uploaded(gpu: Gpu, data: ArrayBufferView<ArrayBuffer>, label = 'input'): GPUBuffer {
  const buffer = createStorageBuffer(gpu, label, data.byteLength)
  writeBuffer(gpu, buffer, 0, data)
  return buffer
}

export async function downloaded(
  gpu: Gpu,
  buffer: GPUBuffer,
  byteLength = buffer.size,
): Promise<ArrayBuffer> {
  const staging = gpu.device.createBuffer({
    size: Math.ceil(byteLength / 4) * 4,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  })
  const encoder = gpu.device.createCommandEncoder()
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, staging.size)
  gpu.device.queue.submit([encoder.finish()])
  await staging.mapAsync(GPUMapMode.READ)
  const bytes = staging.getMappedRange().slice(0, byteLength)
  staging.destroy()
  return bytes
}

export async function downloadedFloats(gpu: Gpu, buffer: GPUBuffer, count: number): Promise<Float32Array> {
  return new Float32Array(await downloaded(gpu, buffer, count * 4))
}

/** Records the dispatches in one submit and throws what the device has to say of them. */
export async function runDispatches(
  gpu: Gpu,
  dispatches: readonly Dispatch[],
  numRows: number,
): Promise<void> {
  gpu.device.pushErrorScope('validation')
  const encoder = gpu.device.createCommandEncoder()
  const pass = encoder.beginComputePass()
  for (const dispatch of dispatches) encodeDispatch(gpu, pass, dispatch, numRows)
  pass.end()
  submit(gpu, encoder.finish())
  const error = await gpu.device.popErrorScope()
  if (error !== null) throw new Error(error.message)
}

/** Largest |a - b| / (1 + |b|). */
export function largestError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY
  let largest = 0
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!) / (1 + Math.abs(expected[i]!))
    if (!(error <= largest)) largest = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error
  }
  return largest
}
