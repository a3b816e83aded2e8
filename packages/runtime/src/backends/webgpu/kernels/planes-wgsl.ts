import { BrasaError } from '../../../errors.ts'
import type { WeightMatrix } from '../weight-matrix.ts'

/** Which plane shader a matrix wants: `narrow` ones are for float rows that vec4 loads cannot walk. */
export type PlaneShader = 'q4' | 'q8' | 'f16' | 'f32' | 'f16Narrow' | 'f32Narrow'

/** @throws BrasaError `malformed_model` if the matrix has rows that no kernel can walk */
export function planeShaderOf({ layout, numColumns }: WeightMatrix): PlaneShader {
  const { format, groupSize } = layout
  if (format === 'q4' || format === 'q8') {
    if (numColumns % groupSize === 0) return format
    throw new BrasaError('malformed_model', {
      message: `A ${format} matrix has rows of ${numColumns} values, not a multiple of ${groupSize}: the model file is damaged. Fetch it again.`,
      details: { numColumns, groupSize },
    })
  }
  if (format === 'f16' && numColumns % 2 !== 0) {
    throw new BrasaError('malformed_model', {
      message: `An f16 matrix has rows of ${numColumns} values, an odd number, which the WebGPU backend cannot read. Convert the model to f32 or a quantised type.`,
      details: { numColumns },
    })
  }
  if (numColumns % 8 === 0) return format
  return format === 'f16' ? 'f16Narrow' : 'f32Narrow'
}

/** The `override` values of a plane shader. */
export function planeConstants({ layout, numColumns }: WeightMatrix): Record<string, number> {
  if (layout.format !== 'q8') return { numColumns }
  return { numColumns, groupSize: layout.groupSize, hasMin: layout.hasMin ? 1 : 0 }
}

/** Workgroups in x and z for `count` of them: a dimension holds 65,535. */
export function foldedGrid(count: number): { readonly x: number; readonly z: number } {
  const z = Math.ceil(count / 65_535)
  return { x: Math.ceil(count / z), z }
}
