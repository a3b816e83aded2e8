import { BrasaError } from '../../errors.ts'
import type { DecodeVariant } from '../executor.ts'
import type { Gpu } from './gpu.ts'

export type { DecodeVariant }

export const decodeVariants: readonly DecodeVariant[] = ['base', 'fused', 'quads']

/**
 * The variant asked for, else `base`.
 * @throws BrasaError `invalid_request` for a variant that the adapter cannot run
 */
export function decodeVariant(gpu: Gpu, asked: DecodeVariant | undefined): DecodeVariant {
  if (asked === 'quads' && !gpu.hasQuads) {
    throw new BrasaError('invalid_request', {
      message: `The variant "quads" needs subgroups of four lanes, which ${gpu.adapterName} does not have. Leave it out, or take "fused".`,
    })
  }
  return asked ?? 'base'
}
