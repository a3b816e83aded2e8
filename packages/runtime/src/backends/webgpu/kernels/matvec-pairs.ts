import normedInputWgsl from '#shaders/common/normed_input.wgsl?raw'
import addWgsl from '#shaders/common/pairs_add.wgsl?raw'
import gluWgsl from '#shaders/common/pairs_glu.wgsl?raw'
import ropeKvWgsl from '#shaders/common/pairs_rope_kv.wgsl?raw'
import storeWgsl from '#shaders/common/pairs_store.wgsl?raw'
import quadQ4Wgsl from '#shaders/common/plane_quad_q4.wgsl?raw'
import quadQ8Wgsl from '#shaders/common/plane_quad_q8.wgsl?raw'
import quadLanesWgsl from '#shaders/common/quad_lanes.wgsl?raw'
import serialWgsl from '#shaders/matvec_pairs.wgsl?raw'
import parallelWgsl from '#shaders/matvec_pairs_parallel.wgsl?raw'
import type { RopeSpec } from '../../transformer-spec.ts'
import { batchWgsl } from '../batch.ts'
import { type Binding, reads, writes } from '../bindings.ts'
import { type Dispatch, prepareDispatch } from '../dispatch.ts'
import type { Gpu } from '../gpu.ts'
import { epilogueSource, type ProductBindings } from './epilogue.ts'
import { addedSquares, type GainedBuffer, type GainedInput, gainedOffsets } from './gained.ts'
import { type AttentionShape, kvPageConstants, kvPagesWgsl } from './kv-pages.ts'
import { dotsOf, matvecGrid, pieceColumns } from './matvec.ts'
import { type PlaneShader, planeConstants, planeShaderOf } from './planes-wgsl.ts'
import { quadsWgsl } from './quads.ts'
import { unroll } from './unroll.ts'

/** `quads`: four lanes share the loads of activations, without barriers. `parallel`: teams of lanes share rows. */
export type PairsVariant = 'quads' | 'parallel'

/** A product whose epilogue does what would be a dispatch of its own. */
export interface MatvecPairsBindings extends Omit<ProductBindings, 'epilogue' | 'variant'> {
  /**
   * `store` and `glu` as in matvec. `add` adds to the residual stream and leaves it ready for the norm that `next` names.
   * `rope_kv` takes W as rows of queries, keys and values: it turns queries and keys, stores the queries alone, and writes
   * keys and values to the cache.
   */
  readonly epilogue: PairsEpilogue
  /** Of an input that an `add` or the embedding left for a norm; absent for one that is taken as it is. */
  readonly norm?: GainedInput | undefined
  readonly variant: PairsVariant
}

export type PairsEpilogue =
  | { readonly kind: 'store' }
  | { readonly kind: 'glu' }
  | { readonly kind: 'add'; readonly gain: GPUBuffer; readonly gained: GainedBuffer }
  | {
      readonly kind: 'rope_kv'
      readonly shape: AttentionShape
      readonly pairing: RopeSpec['pairing']
      readonly ropeDim: number
      readonly ropeTable: GPUBuffer
      readonly keys: GPUBuffer
      readonly values: GPUBuffer
      readonly pageTable: GPUBuffer
      readonly maxPagesPerSequence: number
    }

const quadWgsl: Partial<Record<PlaneShader, string>> = { q4: quadQ4Wgsl, q5: quadQ4Wgsl, q8: quadQ8Wgsl }

/** Formats whose pieces are too small to share: each lane loads its own. */
const ownPieceWgsl =
  'fn loadSharedPiece(batchRow: u32, piece: u32, lane: u32) -> Piece { return loadPiece(batchRow, piece); }'

const plainInputWgsl = `fn partialSquares(batchRow: u32, first: u32, step: u32) -> f32 { return 0; }
fn inputFactor(squares: f32) -> f32 { return 1; }`

const pairsWgsl = { store: storeWgsl, glu: gluWgsl, add: addWgsl, rope_kv: ropeKvWgsl }

/** Storage buffers that `rope_kv` binds: more than WebGPU promises of every adapter. */
export const ropeKvStorageBuffers = (hasBias: boolean): number => (hasBias ? 10 : 9)

/**
 * y = W x for a few rows of a batch, with the norm before it and what follows it in one dispatch.
 * @throws BrasaError `malformed_model` if the rows of W have a width that its format cannot have
 */
export function prepareMatvecPairs(gpu: Gpu, bindings: MatvecPairsBindings): Promise<Dispatch> {
  const { weights, input, output, epilogue, norm, variant } = bindings
  const plane = planeShaderOf(weights)
  const { numRows } = weights
  const pairs = epilogueBindings(bindings)
  const after = epilogueSource(
    { ...bindings, epilogue: 'store', variant: undefined },
    4 + pairs.bindings.length,
  )
  const { threads, grid, kernel } = shaped(plane, weights, variant)
  const code = [
    variant === 'quads' ? quadsWgsl : '',
    after.code,
    epilogue.kind === 'rope_kv' ? `${batchWgsl}\n${kvPagesWgsl}` : '',
    dotsOf(plane, weights),
    norm === undefined ? plainInputWgsl : normedInputWgsl,
    pairsWgsl[epilogue.kind],
    kernel.code,
  ]
  return prepareDispatch(
    gpu,
    {
      label: `matvec_pairs_${plane}_${epilogue.kind}_${variant}`,
      code: code.join('\n'),
      constants: {
        ...planeConstants(weights),
        ...after.constants,
        ...pairs.constants,
        ...(norm && inputConstants(norm)),
        ...kernel.constants,
        threads,
        numRows,
      },
    },
    [
      reads(weights.quants),
      reads(weights.scales),
      reads(input),
      writes(output),
      ...pairs.bindings,
      ...after.bindings,
    ],
    (batchRows) => [grid.x, batchRows, grid.z],
  )
}

/** How many parts the `add` epilogue of this matrix leaves its squares in. */
export function numSquaresOf(weights: ProductBindings['weights'], variant: PairsVariant): number {
  const { rowsPerPart } = shaped(planeShaderOf(weights), weights, variant)
  return Math.ceil(weights.numRows / rowsPerPart)
}

function shaped(
  plane: PlaneShader,
  { numRows, numColumns }: ProductBindings['weights'],
  variant: PairsVariant,
) {
  const { threads, teamLanes, runRows, grid } = matvecGrid(
    plane,
    numRows,
    numColumns / pieceColumns[plane],
    variant === 'quads' ? 'serial' : 'parallel',
  )
  if (variant === 'parallel') {
    const kernel = { code: parallelWgsl, constants: { teamLanes } }
    return { threads, grid, kernel, rowsPerPart: 4 * (threads / teamLanes) }
  }
  const runPairs = runRows
  const code = [
    `const runPairs = ${runPairs}u;`,
    quadLanesWgsl,
    quadWgsl[plane] ?? ownPieceWgsl,
    unroll(serialWgsl, { runPairs }),
  ].join('\n')
  return { threads, grid, kernel: { code, constants: {} }, rowsPerPart: 2 * runPairs }
}

function inputConstants({ buffer, numSquares, epsilon }: GainedInput): Record<string, number> {
  const { squares, stride } = gainedOffsets(buffer)
  return { inputSquares: squares, inputStride: stride, numSquares, epsilon }
}

function epilogueBindings({ epilogue, batch }: MatvecPairsBindings): {
  constants: Record<string, number>
  bindings: Binding[]
} {
  if (epilogue.kind === 'add') {
    const { gain, gained } = epilogue
    return { constants: addedSquares(gained), bindings: [reads(gain), writes(gained.buffer)] }
  }
  if (epilogue.kind !== 'rope_kv') return { constants: {}, bindings: [] }
  const { shape, pairing, ropeDim, ropeTable, keys, values, pageTable, maxPagesPerSequence } = epilogue
  return {
    constants: {
      ...kvPageConstants(shape, maxPagesPerSequence),
      numHeads: shape.numHeads,
      headDim: shape.headDim,
      ropeDim,
      pairedByHalf: pairing === 'half' ? 1 : 0,
    },
    bindings: [reads(batch.rows), reads(ropeTable), writes(keys), writes(values), reads(pageTable)],
  }
}
