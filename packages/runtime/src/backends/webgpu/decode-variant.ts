import type { DecodeVariant } from '../executor.ts'

export type { DecodeVariant }

export const decodeVariants: readonly DecodeVariant[] = ['base', 'fused', 'quads']
