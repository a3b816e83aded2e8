import { describe, expect, it } from 'vitest'
import { uniform } from '../sampling.ts'
import { f32Sink, int8Sink } from './linear-matrix.ts'

const outputSize = 37
const inputSize = 50
const weights = Float32Array.from({ length: outputSize * inputSize }, (_, i) => uniform(7, 0, i) - 0.5)
weights.fill(0, 3 * inputSize, 4 * inputSize)

/** Pieces that end in the middle of rows. */
function inPieces(sink: { write(values: Float32Array, start: number): void }): void {
  for (let start = 0; start < weights.length; start += 96)
    sink.write(weights.subarray(start, start + 96), start)
}

describe('linear matrices', () => {
  it('keeps f32 as it is', () => {
    const sink = f32Sink(outputSize, inputSize)
    inPieces(sink)
    expect(new Float32Array(sink.finish().data.buffer)).toEqual(weights)
  })

  it('rounds each row to its own 127 steps, transposed', () => {
    const sink = int8Sink(outputSize, inputSize, { signal: 0, noise: 0 })
    inPieces(sink)
    const matrix = sink.finish()
    if (matrix.format !== 'int8') throw new Error(matrix.format)
    const quants = new Int8Array(matrix.data.buffer)
    const scales = new Float32Array(matrix.scales.buffer)
    for (let row = 0; row < outputSize; row++) {
      const values = weights.subarray(row * inputSize, (row + 1) * inputSize)
      const largest = Math.max(...values.map(Math.abs))
      if (largest > 0) expect(scales[row]).toBeCloseTo(largest / 127, 7)
      for (const [column, value] of values.entries()) {
        const q = quants[column * outputSize + row]!
        expect(Math.abs(q * scales[row]! - value)).toBeLessThanOrEqual(scales[row]! * 0.5001)
      }
    }
  })

  it('measures an error of about a hundredth', () => {
    const errors = { signal: 0, noise: 0 }
    inPieces(int8Sink(outputSize, inputSize, errors))
    const relative = Math.sqrt(errors.noise / errors.signal)
    expect(relative).toBeGreaterThan(1e-3)
    expect(relative).toBeLessThan(0.05)
  })
})
