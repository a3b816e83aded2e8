import batchWgsl from '#shaders/common/batch.wgsl?raw'
import f16Wgsl from '#shaders/common/plane_tile_f16.wgsl?raw'
import f32Wgsl from '#shaders/common/plane_tile_f32.wgsl?raw'
import q4Wgsl from '#shaders/common/plane_tile_q4.wgsl?raw'
import q5Wgsl from '#shaders/common/plane_tile_q5.wgsl?raw'
import q6Wgsl from '#shaders/common/plane_tile_q6.wgsl?raw'
import q8Wgsl from '#shaders/common/plane_tile_q8.wgsl?raw'
import tokenQuadWgsl from '#shaders/common/token_quad.wgsl?raw'
import sharedTokenQuadWgsl from '#shaders/common/token_quad_shared.wgsl?raw'
import serialWgsl from '#shaders/matmul.wgsl?raw'
import parallelWgsl from '#shaders/matmul_parallel.wgsl?raw'
import { type Binding, reads, uniform, writes } from '../bindings.ts'
import { type Dispatch, prepareDispatch } from '../dispatch.ts'
import { type Gpu, uniformOf } from '../gpu.ts'
import type { WeightMatrix } from '../weight-matrix.ts'
import { epilogueSource, type ProductBindings } from './epilogue.ts'
import { prepareMatvec } from './matvec.ts'
import { foldedGrid, planeConstants, planeShaderOf, scalesWgsl } from './planes-wgsl.ts'
import { unroll } from './unroll.ts'

const tileWgsl = { q4: q4Wgsl, q5: q5Wgsl, q6: q6Wgsl, q8: q8Wgsl, f16: f16Wgsl, f32: f32Wgsl }

/**
 * Rows of W and batch rows that one thread without barriers takes. On SwiftShader, q4, milliseconds a token for all of SmolLM2's
 * matrices and to compile, where lanes share loads: 16 by 12 23 and 400; 16 by 16 22 and 450; 16 by 8 30 and 220; 12 by 8 29 and
 * 140; 24 by 12 24 and 800. Each lane loading for itself takes 1.1 to 1.3 times as long. The multiplications and additions alone
 * are 16. Lost as well: one expression for both halves of a word 1.1 times, sums as vec4 1.3, a loop over the two halves 1.5.
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
  const serial = gpu.hasQuads ? 'quads' : 'serial'
  const variant = bindings.variant ?? (gpu.isSoftware ? serial : 'parallel')
  const plane = planeShaderOf(bindings.weights)
  if (plane === 'f16Narrow' || plane === 'f32Narrow') {
    return prepareMatvec(gpu, { ...bindings, variant: variant === 'parallel' ? variant : 'serial' })
  }
  return variant === 'parallel'
    ? prepareParallel(gpu, plane, bindings)
    : prepareSerial(gpu, plane, variant, bindings)
}

/** `quads` is `serial` where the four lanes of a subgroup load activations for each other. */
export type MatmulVariant = 'serial' | 'quads' | 'parallel'

type MatmulBindings = Omit<ProductBindings, 'variant' | 'epilogue'> & {
  readonly epilogue: 'store' | 'add'
  /** Left out, the adapter decides. */
  readonly variant?: MatmulVariant
}
type TilePlane = keyof typeof tileWgsl

const tilesOf = (plane: TilePlane, { layout }: WeightMatrix): string =>
  layout.scales === 'none' ? tileWgsl[plane] : scalesWgsl[layout.scales] + tileWgsl[plane]

/** One pipeline for all matrices of a format: it is the largest there is, and SwiftShader compiles one at a time. */
function prepareSerial(
  gpu: Gpu,
  plane: TilePlane,
  variant: 'serial' | 'quads',
  bindings: MatmulBindings,
): Promise<Dispatch> {
  const { weights, epilogue } = bindings
  const { numRows, numColumns } = weights
  const after = epilogueSource({ ...common(bindings), epilogue: 'store' }, 6)
  const { numColumns: _, ...constants } = planeConstants(weights)
  const shape = uniformOf(gpu, [numRows, numColumns / 8, epilogue === 'add' ? 1 : 0])
  const grid = foldedGrid(Math.ceil(numRows / (serialTile.tileRows * serialThreads)))
  return prepareDispatch(
    gpu,
    {
      label: `matmul_${plane}_${variant}`,
      code: serialCode(variant, [batchWgsl, tilesOf(plane, weights), after.code]),
      constants: { ...constants, ...after.constants, threads: serialThreads },
    },
    [...inputs(bindings), uniform(shape), ...after.bindings],
    (batchRows) => [grid.x, Math.ceil(batchRows / serialTile.tileTokens), grid.z],
  )
}

function prepareParallel(gpu: Gpu, plane: TilePlane, bindings: MatmulBindings): Promise<Dispatch> {
  const { weights, epilogue } = bindings
  const { numRows } = weights
  const after = epilogueSource(common(bindings), 5)
  const grid = foldedGrid(Math.ceil(numRows / parallelTile))
  return prepareDispatch(
    gpu,
    {
      label: `matmul_${plane}_${epilogue}_parallel`,
      code: [batchWgsl, tilesOf(plane, weights), after.code, parallelWgsl].join('\n'),
      constants: { ...planeConstants(weights), ...after.constants, numRows },
    },
    [...inputs(bindings), ...after.bindings],
    (batchRows) => [grid.x, Math.ceil(batchRows / parallelTile), grid.z],
  )
}

/** What does not tell which kernel. */
const common = ({ variant: _, ...bindings }: MatmulBindings) => bindings

const inputs = ({ weights, input, output, batch }: MatmulBindings): Binding[] => [
  reads(weights.quants),
  reads(weights.scales),
  uniform(batch.count),
  reads(input),
  writes(output),
]

function serialCode(variant: 'serial' | 'quads', prelude: readonly string[]): string {
  const { tileRows, tileTokens } = serialTile
  const quads = variant === 'quads'
  return [
    quads ? 'enable subgroups;\ndiagnostic(off, subgroup_uniformity);' : '',
    `const tileRows = ${tileRows}u;\nconst tileTokens = ${tileTokens}u;`,
    ...prelude,
    quads ? sharedTokenQuadWgsl : tokenQuadWgsl,
    unroll(serialWgsl, { tileRows, tokenQuads: tileTokens / 4, quad: 4 }),
  ].join('\n')
}
