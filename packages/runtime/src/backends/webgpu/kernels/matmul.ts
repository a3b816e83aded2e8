import batchWgsl from '#shaders/common/batch.wgsl?raw'
import f16Wgsl from '#shaders/common/plane_tile_f16.wgsl?raw'
import f32Wgsl from '#shaders/common/plane_tile_f32.wgsl?raw'
import q4Wgsl from '#shaders/common/plane_tile_q4.wgsl?raw'
import q8Wgsl from '#shaders/common/plane_tile_q8.wgsl?raw'
import serialWgsl from '#shaders/matmul.wgsl?raw'
import parallelWgsl from '#shaders/matmul_parallel.wgsl?raw'
import { type Binding, reads, uniform, writes } from '../bindings.ts'
import { type Dispatch, prepareDispatch } from '../dispatch.ts'
import { type Gpu, uniformOf } from '../gpu.ts'
import { epilogueSource, type ProductBindings } from './epilogue.ts'
import { prepareMatvec } from './matvec.ts'
import { foldedGrid, planeConstants, planeShaderOf } from './planes-wgsl.ts'
import { unroll } from './unroll.ts'

const tileWgsl = { q4: q4Wgsl, q8: q8Wgsl, f16: f16Wgsl, f32: f32Wgsl }

/**
 * Rows of W and batch rows that one thread of the serial variant takes. Relative to 12 by 8 on SwiftShader, q4: 8 by 8 takes 1.2
 * times as long, 16 by 4 1.1 to 1.5, 24 by 8 0.82 but 2.2 times as long to compile; activations packed by tile 1.15; a loop over
 * the two halves of a step 1.4.
 */
const serialTile = { tileRows: 16, tileTokens: 12 }
const serialThreads = 4
/** Rows of W and batch rows that one workgroup of the parallel variant takes. */
const parallelTile = 32

/**
 * y = x W^T for many rows of a batch (prefill): a weight is decoded once for a tile of tokens. Float matrices whose width is
 * not a multiple of 8 go through matvec, row by row.
 * @throws BrasaError `malformed_model` if the rows of W have a width that its format cannot have
 */
export function prepareMatmul(gpu: Gpu, bindings: MatmulBindings): Promise<Dispatch> {
  const variant = bindings.variant ?? (gpu.isSoftware ? 'serial' : 'parallel')
  const plane = planeShaderOf(bindings.weights)
  if (plane === 'f16Narrow' || plane === 'f32Narrow') return prepareMatvec(gpu, bindings)
  return variant === 'serial' ? prepareSerial(gpu, plane, bindings) : prepareParallel(gpu, plane, bindings)
}

type MatmulBindings = ProductBindings & { epilogue: 'store' | 'add' }
type TilePlane = keyof typeof tileWgsl

/** One pipeline for all matrices of a format: it is the largest there is, and SwiftShader compiles one at a time. */
function prepareSerial(gpu: Gpu, plane: TilePlane, bindings: MatmulBindings): Promise<Dispatch> {
  const { weights, epilogue } = bindings
  const { numRows, numColumns } = weights
  const after = epilogueSource({ ...bindings, epilogue: 'store' }, 6)
  const { numColumns: _, ...constants } = planeConstants(weights)
  const shape = uniformOf(gpu, [numRows, numColumns / 8, epilogue === 'add' ? 1 : 0])
  const grid = foldedGrid(Math.ceil(numRows / (serialTile.tileRows * serialThreads)))
  return prepareDispatch(
    gpu,
    {
      label: `matmul_${plane}_serial`,
      code: [batchWgsl, tileWgsl[plane], after.code, serialCode()].join('\n'),
      constants: { ...constants, ...after.constants, threads: serialThreads },
    },
    [...inputs(bindings), uniform(shape), ...after.bindings],
    (batchRows) => [grid.x, Math.ceil(batchRows / serialTile.tileTokens), grid.z],
  )
}

function prepareParallel(gpu: Gpu, plane: TilePlane, bindings: MatmulBindings): Promise<Dispatch> {
  const { weights, epilogue } = bindings
  const { numRows } = weights
  const after = epilogueSource(bindings, 5)
  const grid = foldedGrid(Math.ceil(numRows / parallelTile))
  return prepareDispatch(
    gpu,
    {
      label: `matmul_${plane}_${epilogue}_parallel`,
      code: [batchWgsl, tileWgsl[plane], after.code, parallelWgsl].join('\n'),
      constants: { ...planeConstants(weights), ...after.constants, numRows },
    },
    [...inputs(bindings), ...after.bindings],
    (batchRows) => [grid.x, Math.ceil(batchRows / parallelTile), grid.z],
  )
}

const inputs = ({ weights, input, output, batch }: MatmulBindings): Binding[] => [
  reads(weights.quants),
  reads(weights.scales),
  uniform(batch.count),
  reads(input),
  writes(output),
]

function serialCode(): string {
  const { tileRows, tileTokens } = serialTile
  return `const tileRows = ${tileRows}u;\nconst tileTokens = ${tileTokens}u;\n${unroll(serialWgsl, serialTile)}`
}
