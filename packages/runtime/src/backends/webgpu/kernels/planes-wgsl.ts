import bytesWgsl from '#shaders/common/scales_bytes.wgsl?raw'
import f16Wgsl from '#shaders/common/scales_f16.wgsl?raw'
import f16MinWgsl from '#shaders/common/scales_f16_min.wgsl?raw'
import f32Wgsl from '#shaders/common/scales_f32.wgsl?raw'
import f32MinWgsl from '#shaders/common/scales_f32_min.wgsl?raw'
import kWgsl from '#shaders/common/scales_k.wgsl?raw'
import noneWgsl from '#shaders/common/scales_none.wgsl?raw'
import { BrasaError } from '../../../errors.ts'
import type { DeviceLayout, ScaleFormat } from '../device-planes.ts'
import type { WeightMatrix } from '../weight-matrix.ts'

/** Which plane shader a matrix wants: `narrow` ones are for float rows that vec4 loads cannot walk. */
export type PlaneShader = 'q4' | 'q5' | 'q6' | 'q8' | 'f16' | 'f32' | 'f16Narrow' | 'f32Narrow'

/** @throws BrasaError `malformed_model` if the matrix has rows that no kernel can walk */
export function planeShaderOf({ layout, numColumns }: WeightMatrix): PlaneShader {
  const { format, scales, groupSize } = layout
  if (format !== 'f16' && format !== 'f32') {
    const unit = { none: 1, f16: 32, f16_min: 32, k: 256, bytes: 256, f32: groupSize, f32_min: groupSize }[
      scales
    ]
    if (numColumns % unit === 0) return format
    throw new BrasaError('malformed_model', {
      message: `A ${format} matrix has rows of ${numColumns} values, not a multiple of ${unit}: the model file is damaged. Fetch it again.`,
      details: { numColumns, unit },
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
  const constants = { numColumns, ...scaleConstants(layout) }
  return layout.format === 'q8' ? { ...constants, groupSize: layout.groupSize } : constants
}

/** Where a kernel finds the scale and minimum of a group. */
export const scalesWgsl: Readonly<Record<ScaleFormat, string>> = {
  none: noneWgsl,
  f16: f16Wgsl,
  f16_min: f16MinWgsl,
  k: kWgsl,
  bytes: bytesWgsl,
  f32: f32Wgsl,
  f32_min: f32MinWgsl,
}

/** The `override` values of a scales shader. */
export function scaleConstants({ scales, zero }: DeviceLayout): Record<string, number> {
  return scales === 'f16' ? { zero } : {}
}

/** Workgroups in x and z for `count` of them: a dimension holds 65,535. */
export function foldedGrid(count: number): { readonly x: number; readonly z: number } {
  const z = Math.ceil(count / 65_535)
  return { x: Math.ceil(count / z), z }
}
