/**
 * How a matrix lies in memory for the kernels: quantised values in one plane, scales and minimums in another, both in
 * row-major block order, so that a file can be repacked as it arrives and any range of rows is a range of each plane.
 *
 * The value of column c in group g = floor(c / groupSize) of a row is `scale[g] * q[c] + min[g]`, computed in f32, and
 * equals GGUF's own decoding of the block exactly.
 *
 * - `q4`: groups of 32 columns in four u32 words. Word j holds columns 4j + p at bit 8p and 16 + 4j + p at bit 8p + 4, for p
 *   in 0..3 (ggml's own order within Q4_0). q is unsigned, 0..15. `scales` has [scale, min] for each group.
 * - `q8`: q is a signed byte, four consecutive columns a word, lowest byte first. Groups of 16 or 32 columns. `scales` has
 *   [scale, min] for each group where `hasMin`, else [scale].
 * - `f16`: two consecutive columns a word, lowest half first. No scales.
 * - `f32`: one column a word. No scales.
 */
export type PlaneFormat = 'q4' | 'q8' | 'f16' | 'f32'

export interface PlaneLayout {
  readonly format: PlaneFormat
  /** Columns that share a scale; 0 for float formats. */
  readonly groupSize: 0 | 16 | 32
  readonly hasMin: boolean
}

export interface Planes {
  readonly layout: PlaneLayout
  readonly quants: Uint32Array<ArrayBuffer>
  readonly scales: Float32Array<ArrayBuffer>
}

/** How many elements `quants` and `scales` have for `count` values. */
export function planeLengths(
  layout: PlaneLayout,
  count: number,
): { quantWords: number; scaleFloats: number } {
  const valuesPerWord = { q4: 8, q8: 4, f16: 2, f32: 1 }[layout.format]
  const groups = layout.groupSize === 0 ? 0 : count / layout.groupSize
  return { quantWords: Math.ceil(count / valuesPerWord), scaleFloats: layout.hasMin ? groups * 2 : groups }
}
