import { createStorageBuffer, type Gpu } from '../gpu.ts'

/**
 * The residual stream times the gain of the norm that reads it next, and the parts of its sum of squares: f32 (maxRows, hiddenSize),
 * then (maxRows, hiddenSize / 4) of which a producer fills as many as it has.
 */
export interface GainedBuffer {
  readonly buffer: GPUBuffer
  readonly maxRows: number
  /** A multiple of 4. */
  readonly hiddenSize: number
}

/** What a product must know to apply the norm that its input is ready for. */
export interface GainedInput {
  readonly buffer: GainedBuffer
  /** Parts of the sum of squares that the producer left. */
  readonly numSquares: number
  readonly epsilon: number
}

export function createGained(gpu: Gpu, hiddenSize: number, maxRows: number): GainedBuffer {
  const bytes = (maxRows * hiddenSize + maxRows * squaresStride(hiddenSize)) * 4
  return { buffer: createStorageBuffer(gpu, 'activations.gained', bytes), maxRows, hiddenSize }
}

/** Where the squares start and how far apart those of two rows are, in floats. */
export function gainedOffsets({ maxRows, hiddenSize }: GainedBuffer): { squares: number; stride: number } {
  return { squares: maxRows * hiddenSize, stride: squaresStride(hiddenSize) }
}

/** The `override` values of a kernel that writes one. */
export function addedSquares(buffer: GainedBuffer): Record<string, number> {
  const { squares, stride } = gainedOffsets(buffer)
  return { gainedSquares: squares, gainedStride: stride }
}

const squaresStride = (hiddenSize: number) => Math.ceil(hiddenSize / 4)
