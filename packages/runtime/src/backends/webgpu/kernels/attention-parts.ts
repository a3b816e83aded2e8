import type { AttentionShape } from './kv-pages.ts'

/**
 * Parts into which decode splits the keys of one KV head. Serial: a thread each, two groups of four lanes, so that two CPU
 * threads are both busy (on SwiftShader 16 cost 1.1 times the CPU time at position 2,000, and 4 keep one thread idle).
 * Parallel: a workgroup each, so that a few heads fill a GPU. Quads: four lanes each.
 */
export const numSplitsOf = { serial: 8, parallel: 16, quads: 4 } as const

/** Bytes of the parts that `maxRows` rows leave between the two halves of decode attention, on any adapter. */
export function attentionPartsBytes(
  { numHeads, headDim }: Pick<AttentionShape, 'numHeads' | 'headDim'>,
  maxRows: number,
): number {
  return maxRows * numHeads * numSplitsOf.parallel * (headDim + 4) * 4
}
