import type { AttentionSpec, RopeSpec, TransformerSpec } from '../transformer-spec.ts'

/** What several blocks read: fed once a run under these names. */
export interface SharedInputs {
  readonly ropes: readonly RopeInput[]
  readonly masks: readonly MaskInput[]
}

/** Cosines and sines of the positions. */
export interface RopeInput {
  readonly cos: string
  readonly sin: string
  readonly rope: RopeSpec
}

/** Which held and which new positions a row reads. */
export interface MaskInput {
  readonly past: string
  readonly fresh: string
  /** Infinity where there is none. */
  readonly window: number
  /** Query heads to a key-value head: rows of one product. */
  readonly group: number
}

export const windowOf = ({ window = Infinity }: AttentionSpec): number => window

/** The distinct tables and masks of a description, in the order in which blocks first need them. */
export function sharedInputs({ blocks }: TransformerSpec): SharedInputs {
  const ropes: RopeInput[] = []
  const masks: MaskInput[] = []
  for (const { attention } of blocks) {
    const { rope } = attention
    if (rope !== undefined && !ropes.some((input) => isTableOf(input, rope))) {
      ropes.push({ cos: `cos_${ropes.length}`, sin: `sin_${ropes.length}`, rope })
    }
    if (!masks.some((input) => isMaskOf(input, attention))) {
      const { length } = masks
      masks.push({
        past: `past_mask_${length}`,
        fresh: `mask_${length}`,
        window: windowOf(attention),
        group: groupOf(attention),
      })
    }
  }
  return { ropes, masks }
}

export function ropeInputOf({ ropes }: SharedInputs, rope: RopeSpec): RopeInput {
  return ropes.find((input) => isTableOf(input, rope))!
}

export function maskInputOf({ masks }: SharedInputs, attention: AttentionSpec): MaskInput {
  return masks.find((input) => isMaskOf(input, attention))!
}

function isTableOf({ rope }: RopeInput, { inverseFrequencies, magnitude }: RopeSpec): boolean {
  return rope.inverseFrequencies === inverseFrequencies && rope.magnitude === magnitude
}

function isMaskOf({ window, group }: MaskInput, attention: AttentionSpec): boolean {
  return window === windowOf(attention) && group === groupOf(attention)
}

const groupOf = ({ numHeads, numKvHeads }: AttentionSpec): number => numHeads / numKvHeads
