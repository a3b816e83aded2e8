import { maxStepsInFlight } from '../contract-checks.ts'
import { createBuffer, type Gpu } from './gpu.ts'

/** Staging buffers used in turn, so that reading a step back creates nothing. */
export interface ReadbackRing {
  /** Records the copy of `source` into the next staging buffer and returns how to read it once the commands are submitted. */
  copy(encoder: GPUCommandEncoder, source: GPUBuffer, byteLength: number): () => Promise<Uint32Array>
}

/** @param byteLength bytes of one staging buffer */
export function createReadbackRing(gpu: Gpu, byteLength: number): ReadbackRing {
  const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST
  const free = Array.from({ length: maxStepsInFlight }, (_, i) =>
    createBuffer(gpu, `readback.${i}`, byteLength, usage),
  )
  return {
    copy(encoder, source, length) {
      const staging = free.pop()
      if (staging === undefined) throw new RangeError(`More than ${maxStepsInFlight} steps in flight`)
      encoder.copyBufferToBuffer(source, 0, staging, 0, length)
      return async () => {
        const words = await readMapped(gpu, staging, length)
        free.push(staging)
        return words
      }
    },
  }
}

/** Reads `byteLength` bytes of any buffer through a staging buffer of its own; for what is not read every step. */
export function copyOnce(
  gpu: Gpu,
  encoder: GPUCommandEncoder,
  source: GPUBuffer,
  byteLength: number,
): () => Promise<Uint32Array> {
  const staging = createBuffer(
    gpu,
    'readback.once',
    byteLength,
    GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  )
  encoder.copyBufferToBuffer(source, 0, staging, 0, byteLength)
  return async () => {
    const words = await readMapped(gpu, staging, byteLength)
    staging.destroy()
    return words
  }
}

async function readMapped(gpu: Gpu, staging: GPUBuffer, byteLength: number): Promise<Uint32Array> {
  await staging.mapAsync(GPUMapMode.READ, 0, byteLength)
  const words = new Uint32Array(staging.getMappedRange(0, byteLength).slice(0))
  staging.unmap()
  gpu.counters.bytesRead += byteLength
  return words
}
