import layoutWgsl from '#shaders/common/kv_pages.wgsl?raw'

/** Tokens of one sequence that a page of the KV cache holds. */
export const kvPageTokens = 32

/** WGSL that finds a position's keys and values: to put before a kernel that reads or writes the cache. */
export const kvPagesWgsl = `const kvPageTokens = ${kvPageTokens}u;\n${layoutWgsl}`

/** Heads as attention sees them: `numHeads` queries share `numKvHeads` keys and values; `scale` multiplies their products. */
export interface AttentionShape {
  readonly numHeads: number
  readonly numKvHeads: number
  /** A multiple of 4. */
  readonly headDim: number
  readonly scale: number
  /** Scores become softCap * tanh(score / softCap). No cap if absent. */
  readonly softCap?: number | undefined
  /** The row at position p reads the positions from p - window + 1 on. All if absent. */
  readonly window?: number | undefined
}

/** Bytes of one page of one layer's keys, and as many for its values. A page is contiguous: a copy of its bytes is a copy of it. */
export function kvPageBytes({ numKvHeads, headDim }: Pick<AttentionShape, 'numKvHeads' | 'headDim'>): number {
  return numKvHeads * kvPageTokens * headDim * 4
}

/** Where component `d` of a key lies, in floats, in a layer's buffer of keys. */
export function keyFloatIndex(
  { numKvHeads, headDim }: Pick<AttentionShape, 'numKvHeads' | 'headDim'>,
  page: number,
  kvHead: number,
  position: number,
  d: number,
): number {
  const quad = ((page * numKvHeads + kvHead) * headDim) / 4 + Math.floor(d / 4)
  return (quad * kvPageTokens + (position % kvPageTokens)) * 4 + (d % 4)
}

/** Where component `d` of a value lies, in floats, in a layer's buffer of values. */
export function valueFloatIndex(
  { numKvHeads, headDim }: Pick<AttentionShape, 'numKvHeads' | 'headDim'>,
  page: number,
  kvHead: number,
  position: number,
  d: number,
): number {
  return ((page * numKvHeads + kvHead) * kvPageTokens + (position % kvPageTokens)) * headDim + d
}

/** Values for the `override` constants of common/kv_pages.wgsl. */
export function kvPageConstants(
  { numKvHeads }: Pick<AttentionShape, 'numKvHeads'>,
  maxPagesPerSequence: number,
): Record<'numKvHeads' | 'maxPagesPerSequence', number> {
  return { numKvHeads, maxPagesPerSequence }
}
