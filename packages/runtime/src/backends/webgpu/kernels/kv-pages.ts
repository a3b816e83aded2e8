import kvPagesWgsl from '#shaders/common/kv_pages.wgsl?raw'

/** WGSL that finds a position's keys and values: to put before a kernel that reads or writes the cache. */
export { kvPagesWgsl }

/** Tokens of one sequence that a page of the KV cache holds. */
export const kvPageTokens = 32

/** Heads as attention sees them: `numHeads` queries share `numKvHeads` keys and values; `scale` multiplies their products. */
export interface AttentionShape {
  readonly numHeads: number
  readonly numKvHeads: number
  /** A multiple of 4. */
  readonly headDim: number
  readonly scale: number
}

/** Bytes of one page of one layer's keys, and as many for its values. A page is contiguous: a copy of its bytes is a copy of it. */
export function kvPageBytes({ numKvHeads, headDim }: Pick<AttentionShape, 'numKvHeads' | 'headDim'>): number {
  return numKvHeads * kvPageTokens * headDim * 4
}

/** Where in a buffer of keys or values, in floats, the first component of (page, kvHead, position) lies. */
export function kvFloatIndex(
  { numKvHeads, headDim }: Pick<AttentionShape, 'numKvHeads' | 'headDim'>,
  page: number,
  kvHead: number,
  position: number,
): number {
  return ((page * numKvHeads + kvHead) * kvPageTokens + (position % kvPageTokens)) * headDim
}

/** Values for the `override` constants of common/kv_pages.wgsl. */
export function kvPageConstants(
  { numKvHeads }: Pick<AttentionShape, 'numKvHeads'>,
  maxPagesPerSequence: number,
): Record<'numKvHeads' | 'kvPageTokens' | 'maxPagesPerSequence', number> {
  return { numKvHeads, kvPageTokens, maxPagesPerSequence }
}
