import type { GgmlType } from '../../formats/ggml-types.ts'
import { planeLayout } from '../../quant/blocks.ts'
import { commonLayout as commonPlaneLayout } from '../../quant/convert.ts'
import type { PlaneLayout } from '../../quant/planes.ts'
import type { DecodeVariant } from './decode-variant.ts'

/**
 * How a matrix lies in GPU memory: each encoding in the width that the file has it in, quantised values in one plane and scales
 * in another. Both are in row-major order and every row begins at a word, so that any range of rows is a range of each plane.
 *
 * A weight of column c in group g = floor(c / groupSize) of a row is `scale * (q - zero) + min`, and equals GGUF's own decoding.
 * In the words of 32 columns, p is 0..3 and j is 0..3:
 *
 * - `q4`: four words. Word j holds columns 4j + p at bit 8p and 16 + 4j + p at bit 8p + 4 (ggml's own order within Q4_0).
 * - `q5`: as `q4`, then a word of fifth bits: that of column 4j + p at bit 8p + j, of 16 + 4j + p at bit 8p + 4 + j.
 * - `q6`: as `q4`, then two words of upper two bits: those of columns 4j + p at bit 8p + 2j of the first, of 16 + 4j + p at
 *   that of the second.
 * - `q8`: q is a signed byte, four consecutive columns a word, lowest byte first.
 * - `f16`: two consecutive columns a word, lowest half first. `f32`: one column a word. No scales.
 *
 * Scales:
 *
 * - `f16`: a half a group, two a word; a row of an odd number of groups ends with an empty half.
 * - `f16_min`: a word a group: scale, then minimum, as halves.
 * - `k`: four words a super-block of eight groups, as Q4_K and Q5_K files have them: two halves, then twelve bytes of six-bit
 *   scales and minimums (get_scale_min_k4 in ggml-quants.c).
 * - `bytes`: five words a super-block of sixteen groups: an f32, then a signed byte a group that multiplies it.
 * - `f32`: a word a group. `f32_min`: two words a group, scale and minimum.
 */
export interface DeviceLayout {
  readonly format: QuantFormat
  readonly scales: ScaleFormat
  /** Columns that share a scale; 0 for float formats. */
  readonly groupSize: 0 | 16 | 32
  /** What stands for no weight; 0 where there are minimums and where q has a sign. */
  readonly zero: number
}

export type QuantFormat = 'q4' | 'q5' | 'q6' | 'q8' | 'f16' | 'f32'
export type ScaleFormat = 'none' | 'f16' | 'f16_min' | 'k' | 'bytes' | 'f32' | 'f32_min'

const layoutOf = (
  format: QuantFormat,
  scales: ScaleFormat,
  groupSize: 16 | 32 = 32,
  zero = 0,
): DeviceLayout => ({ format, scales, groupSize, zero })

export const f32Layout: DeviceLayout = { format: 'f32', scales: 'none', groupSize: 0, zero: 0 }

/** `file`: as wide as the file has them. `wide`: f32 scales and whole bytes, as quant/planes.ts has them. */
export type WeightWidth = 'file' | 'wide'

/**
 * A software adapter waits for arithmetic, not for memory: on SwiftShader `file` took a step 1.2 to 1.3 times as long for Q8_0 and
 * 1.0 to 1.2 times for Q4_1, most of it to widen halves. `fused` is the structure meant for GPUs, and keeps what they have.
 */
export const widthFor = (gpu: { readonly isSoftware: boolean }, variant: DecodeVariant): WeightWidth =>
  gpu.isSoftware && variant !== 'fused' ? 'wide' : 'file'

/** Q2_K, Q3_K and IQ4_XS are still widened: to bytes, with their scales multiplied out. */
export const deviceLayouts: Readonly<Record<GgmlType, DeviceLayout>> = {
  F32: f32Layout,
  F16: { ...f32Layout, format: 'f16' },
  BF16: f32Layout,
  Q4_0: layoutOf('q4', 'f16', 32, 8),
  Q4_1: layoutOf('q4', 'f16_min'),
  Q5_0: layoutOf('q5', 'f16', 32, 16),
  Q5_1: layoutOf('q5', 'f16_min'),
  Q8_0: layoutOf('q8', 'f16'),
  Q2_K: layoutOf('q8', 'f32_min', 16),
  Q3_K: layoutOf('q8', 'f32', 16),
  Q4_K: layoutOf('q4', 'k'),
  Q5_K: layoutOf('q5', 'k'),
  Q6_K: layoutOf('q6', 'bytes', 16, 32),
  IQ4_NL: layoutOf('q8', 'f16'),
  IQ4_XS: layoutOf('q8', 'f32'),
}

/** 32-bit words of a row of `numColumns` values in each plane. */
export function wordsPerRow(
  { format, scales, groupSize }: DeviceLayout,
  numColumns: number,
): { quants: number; scales: number } {
  const bits = { q4: 4, q5: 5, q6: 6, q8: 8, f16: 16, f32: 32 }[format]
  const groups = groupSize === 0 ? 0 : numColumns / groupSize
  const wordsPerGroup = { none: 0, f16: 1 / 2, f16_min: 1, k: 4 / 8, bytes: 5 / 16, f32: 1, f32_min: 2 }[
    scales
  ]
  return { quants: Math.ceil((numColumns * bits) / 32), scales: Math.ceil(groups * wordsPerGroup) }
}

/** Bytes that a matrix takes in each plane. */
export function planeBytes(
  layout: DeviceLayout,
  numRows: number,
  numColumns: number,
): { quants: number; scales: number } {
  const words = wordsPerRow(layout, numColumns)
  return { quants: words.quants * numRows * 4, scales: words.scales * numRows * 4 }
}

/**
 * The narrowest layout that matrices of all the given types can be repacked to exactly, so that matrices which share an input
 * are multiplied in one dispatch (a Q4_K_M file has Q5_0 queries beside Q8_0 values).
 */
export function commonLayout(
  types: readonly [GgmlType, ...GgmlType[]],
  width: WeightWidth = 'file',
): DeviceLayout {
  const [firstType, ...otherTypes] = types
  if (width === 'wide') {
    return wideLayout(commonPlaneLayout([planeLayout(firstType), ...otherTypes.map(planeLayout)]))
  }
  const [first, ...others] = types.map((type) => deviceLayouts[type])
  const all = [first!, ...others]
  if (all.every((layout) => isSame(layout, first!))) return first!
  if (all.some(({ groupSize }) => groupSize === 0)) return f32Layout
  if (all.every(({ scales }) => scales === 'f16')) return layoutOf('q8', 'f16')
  // Four bits beside five.
  if (all.every(({ scales }) => scales === 'k')) return layoutOf('q5', 'k')
  if (all.every(({ scales }) => scales === 'f16_min')) return layoutOf('q5', 'f16_min')
  return layoutOf('q8', 'f32_min', all.some(({ groupSize }) => groupSize === 16) ? 16 : 32)
}

const wideLayout = ({ format, groupSize, hasMin }: PlaneLayout): DeviceLayout => ({
  format,
  scales: groupSize === 0 ? 'none' : hasMin ? 'f32_min' : 'f32',
  groupSize,
  zero: 0,
})

export const isSame = (a: DeviceLayout, b: DeviceLayout): boolean =>
  a.format === b.format && a.scales === b.scales && a.groupSize === b.groupSize && a.zero === b.zero
