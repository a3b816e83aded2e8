import { planeLengths } from '../../quant/planes.ts'
import type { DeviceWeights } from './device-weights.ts'
import { type Gpu, writeBuffer } from './gpu.ts'
import type { WeightMatrix } from './weight-matrix.ts'

/** A prime number of words: as a pattern goes on over rows, no two rows are alike. */
const patternWords = 65_521

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
  const { quantWords, scaleFloats } = planeLengths(layout, numRows * numColumns)
  const exponent = Math.round(Math.log2(numColumns) / 2)
  const half = (15 - exponent) << 10
  const quantOf = {
    q4: (word: number) => word,
    q8: (word: number) => word,
    f16: (word: number) => (word & 0x83ff_83ff) | (half << 16) | half,
    f32: (word: number) => (word & 0x807f_ffff) | ((127 - exponent) << 23),
  }[layout.format]
  fill(gpu, quants, Uint32Array.from(words(), quantOf), quantWords)
  // Of values that are as likely as each other, around 7.5 and 0.
  const [deviation, middle] = layout.format === 'q4' ? [4.6, 7.5] : [74, 0]
  const scaleOf = (word: number) => (0.5 + fractionOf(word)) / (deviation * Math.sqrt(numColumns))
  const pairs = words().map(scaleOf)
  const isMin = (index: number) => layout.hasMin && index % 2 === 1
  // A pattern of pairs must have an even length.
  const plane = pairs
    .slice(0, patternWords - 1)
    .map((scale, i) => (isMin(i) ? -middle * pairs[i - 1]! : scale))
  fill(gpu, scales, Float32Array.from(plane), scaleFloats)
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
