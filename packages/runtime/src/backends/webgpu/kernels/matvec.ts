import nibblePieceWgsl from '#shaders/common/nibble_piece.wgsl?raw'
import f16Wgsl from '#shaders/common/plane_dot_f16.wgsl?raw'
import f16NarrowWgsl from '#shaders/common/plane_dot_f16_narrow.wgsl?raw'
import f32Wgsl from '#shaders/common/plane_dot_f32.wgsl?raw'
import f32NarrowWgsl from '#shaders/common/plane_dot_f32_narrow.wgsl?raw'
import q4Wgsl from '#shaders/common/plane_dot_q4.wgsl?raw'
import q5Wgsl from '#shaders/common/plane_dot_q5.wgsl?raw'
import q6Wgsl from '#shaders/common/plane_dot_q6.wgsl?raw'
import q8Wgsl from '#shaders/common/plane_dot_q8.wgsl?raw'
import serialWgsl from '#shaders/matvec.wgsl?raw'
import parallelWgsl from '#shaders/matvec_parallel.wgsl?raw'
import { reads, writes } from '../bindings.ts'
import { type Dispatch, prepareDispatch } from '../dispatch.ts'
import type { Gpu } from '../gpu.ts'
import type { WeightMatrix } from '../weight-matrix.ts'
import { epilogueSource, type ProductBindings } from './epilogue.ts'
import { foldedGrid, type PlaneShader, planeConstants, planeShaderOf, scalesWgsl } from './planes-wgsl.ts'
import { unroll } from './unroll.ts'

const dotWgsl = {
  q4: nibblePieceWgsl + q4Wgsl,
  q5: nibblePieceWgsl + q5Wgsl,
  q6: q6Wgsl,
  q8: q8Wgsl,
  f16: f16Wgsl,
  f32: f32Wgsl,
  f16Narrow: f16NarrowWgsl,
  f32Narrow: f32NarrowWgsl,
}

/** Dot products of a matrix with a piece of x. */
export const dotsOf = (plane: PlaneShader, { layout }: WeightMatrix): string =>
  layout.scales === 'none' ? dotWgsl[plane] : scalesWgsl[layout.scales] + dotWgsl[plane]

/** Columns of a piece. */
export const pieceColumns = { q4: 32, q5: 32, q6: 32, q8: 32, f16: 8, f32: 8, f16Narrow: 2, f32Narrow: 1 }

/**
 * y = W x for a few rows of a batch (decode).
 * @throws BrasaError `malformed_model` if the rows of W have a width that its format cannot have
 */
export function prepareMatvec(gpu: Gpu, bindings: ProductBindings): Promise<Dispatch> {
  const { weights, input, output, epilogue } = bindings
  const variant = bindings.variant ?? (gpu.isSoftware ? 'serial' : 'parallel')
  const plane = planeShaderOf(weights)
  const { numRows, numColumns } = weights
  const after = epilogueSource(bindings, 4)
  const { threads, teamLanes, runRows, grid } = matvecGrid(
    plane,
    numRows,
    numColumns / pieceColumns[plane],
    variant,
  )
  const isSerial = variant === 'serial'
  const code = isSerial ? unroll(serialWgsl, { runRows }) : parallelWgsl
  const constants: Record<string, number> = isSerial ? { threads, runRows } : { threads, teamLanes }
  return prepareDispatch(
    gpu,
    {
      label: `matvec_${plane}_${epilogue}_${variant}`,
      code: [after.code, dotsOf(plane, weights), code].join('\n'),
      constants: { ...planeConstants(weights), ...constants, ...after.constants, numRows },
    },
    [reads(weights.quants), reads(weights.scales), reads(input), writes(output), ...after.bindings],
    (batchRows) => [grid.x, batchRows, grid.z],
  )
}

/** Threads of a workgroup and workgroups of either variant of a matvec; `runRows` is the serial one's, `teamLanes` the parallel one's. */
export function matvecGrid(
  plane: PlaneShader,
  numRows: number,
  piecesPerRow: number,
  variant: 'serial' | 'parallel',
) {
  return variant === 'serial' ? serialGrid(plane, numRows) : parallelGrid(numRows, piecesPerRow)
}

/**
 * 8 or 16 rows a thread: more rows share the loads of the activations, as long as there are threads enough for all
 * processors. Small workgroups where there are few, for the same reason.
 *
 * What lost on SwiftShader with q4, as time relative to what is here: 4 rows a thread 1.3; sums kept as vec4 until the end of
 * a group 1.2; row offsets kept in variables 1.0 to 1.2; several groups behind one computed index 1.0 and more; 16 rows a
 * thread for q8 1.0. A quarter of the time goes to loading activations, which every lane loads alike.
 */
function serialGrid(plane: PlaneShader, numRows: number) {
  const runRows = plane === 'q4' && numRows >= 2048 ? 8 : 4
  const numThreads = Math.ceil(numRows / (2 * runRows))
  const threads = Math.min(32, Math.max(4, 4 * Math.floor(numThreads / 64)))
  return { threads, runRows, teamLanes: 1, grid: foldedGrid(Math.ceil(numThreads / threads)) }
}

/** Four rows a team; as many lanes a team as find two pieces each, 4 to 64. */
function parallelGrid(numRows: number, piecesPerRow: number) {
  let teamLanes = 4
  while (teamLanes < 64 && teamLanes * 4 <= piecesPerRow) teamLanes *= 2
  const threads = 64
  const rowsPerWorkgroup = 4 * (threads / teamLanes)
  return { threads, teamLanes, runRows: 0, grid: foldedGrid(Math.ceil(numRows / rowsPerWorkgroup)) }
}
