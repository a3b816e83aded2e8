import { f16FromNumber } from '../../quant/f16.ts'
import { type DeviceLayout, wordsPerRow } from './device-planes.ts'
import type { DeviceWeights } from './device-weights.ts'
import { type Gpu, writeBuffer } from './gpu.ts'
import type { WeightMatrix } from './weight-matrix.ts'

/** A prime number of words: as a pattern goes on over rows, no two rows are alike. */
const patternWords = 65_521
/** Whole pairs, and super-blocks of four and of five words. */
const scaleWords = 65_520

/**
 * Fills allocated weights with numbers like a model's: products of them stay near 1, and rows differ, so that a kernel that takes a
 * wrong one gives another result. The same numbers every time.
 */
export function fillWithNoise(gpu: Gpu, weights: DeviceWeights): void {
  const targets = [...weights.targets.values()].flat()
  for (const matrix of new Set(targets.flatMap((one) => (one.kind === 'matrix' ? [one.matrix] : [])))) {
    fillMatrix(gpu, matrix)
  }
  const gains = Float32Array.from(words(), (word) => 0.5 + fractionOf(word))
  for (const buffer of new Set(targets.flatMap((one) => (one.kind === 'vector' ? [one.buffer] : [])))) {
    fill(gpu, buffer, gains, buffer.size / 4)
  }
}

function fillMatrix(gpu: Gpu, { layout, numRows, numColumns, quants, scales }: WeightMatrix): void {
  const lengths = wordsPerRow(layout, numColumns)
  const exponent = Math.round(Math.log2(numColumns) / 2)
  const half = (15 - exponent) << 10
  const quantOf = {
    f16: (word: number) => (word & 0x83ff_83ff) | (half << 16) | half,
    f32: (word: number) => (word & 0x807f_ffff) | ((127 - exponent) << 23),
  }
  const { format } = layout
  const pattern = format === 'f16' || format === 'f32' ? words().map(quantOf[format]) : words()
  fill(gpu, quants, Uint32Array.from(pattern), lengths.quants * numRows)
  fill(gpu, scales, scalePattern(layout, numColumns), lengths.scales * numRows)
}

/** Scales of values that are as likely as each other, and minimums that bring their mean near zero. */
function scalePattern({ format, scales }: DeviceLayout, numColumns: number): Uint32Array<ArrayBuffer> {
  const [deviation, middle] = {
    q4: [4.6, 7.5],
    q5: [9.2, 15.5],
    q6: [18, 0],
    q8: [74, 0],
    f16: [1, 0],
    f32: [1, 0],
  }[format] as [number, number]
  const pattern = Uint32Array.from(words().slice(0, scaleWords))
  const floats = new Float32Array(pattern.buffer)
  const scaleOf = (word: number) => (0.5 + fractionOf(word)) / (deviation * Math.sqrt(numColumns))
  const halfPair = (low: number, high: number) => f16FromNumber(low) | (f16FromNumber(high) << 16)
  for (let i = 0; i < pattern.length; i++) {
    const scale = scaleOf(pattern[i]!)
    if (scales === 'f16') pattern[i] = halfPair(scale, 0.75 * scale)
    if (scales === 'f16_min') pattern[i] = halfPair(scale, -middle * scale)
    // Between their units lie random bytes: six-bit factors, which are 32 at the mean, and signed ones of 74.
    if (scales === 'k' && i % 4 === 0) pattern[i] = halfPair(scale / 32, (middle * scale) / 32)
    if (scales === 'bytes' && i % 5 === 0) floats[i] = scale / 74
    if (scales === 'f32') floats[i] = scale
    if (scales === 'f32_min') floats[i] = i % 2 === 0 ? scale : -middle * floats[i - 1]!
  }
  return pattern
}

function fill(
  gpu: Gpu,
  buffer: GPUBuffer,
  pattern: Uint32Array<ArrayBuffer> | Float32Array<ArrayBuffer>,
  length: number,
): void {
  for (let start = 0; start < length; start += pattern.length) {
    writeBuffer(gpu, buffer, start * 4, pattern.subarray(0, length - start))
  }
}

const fractionOf = (word: number) => (word >>> 8) / 2 ** 24

let made: readonly number[] | undefined

/** Marsaglia's xorshift32 ("Xorshift RNGs", 2003). */
function words(): readonly number[] {
  if (made !== undefined) return made
  let state = 0x9e37_79b9
  made = Array.from({ length: patternWords }, () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  })
  return made
}
