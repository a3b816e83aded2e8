import { BrasaError } from '../../errors.ts'
import type { GgmlType } from '../../formats/ggml-types.ts'
import type { TensorInfo } from '../../formats/gguf.ts'
import type { PlaneLayout } from '../../quant/planes.ts'
import type { LinearSpec, TransformerSpec } from '../transformer-spec.ts'
import { type TileFormat, tileFormat, tileRows } from './tiles.ts'

/** A matrix of linear layers that read the same input, before there is memory for it. */
export interface MatrixPlan {
  readonly format: TileFormat
  readonly layout: PlaneLayout
  /** A multiple of 8: the last tile may have rows of zeros. */
  readonly numRows: number
  readonly numColumns: number
  readonly hasBias: boolean
  readonly parts: readonly Part[]
}

/** Where rows of a tensor go. */
export interface Part {
  readonly linear: LinearSpec
  readonly numRows: number
  /** The matrix's row for a row of this part. */
  readonly place: (row: number) => number
}

export interface ModelPlan {
  readonly embedding: MatrixPlan
  /** The embedding itself where the two are tied. */
  readonly head: MatrixPlan
  readonly blocks: readonly BlockPlan[]
}

export interface BlockPlan {
  /** Query, key and value rows. */
  readonly queryKeyValue: MatrixPlan
  readonly output: MatrixPlan
  /** Four gate rows and four up rows in turns, so that a tile has what is multiplied. */
  readonly gateUp: MatrixPlan
  readonly down: MatrixPlan
}

const inOrder = (first: number) => (row: number) => first + row
/** Every other four rows, from `first` on. */
const inTurns = (first: number) => (row: number) => Math.floor(row / 4) * 8 + (row % 4) + first

/** @throws BrasaError `malformed_model` if a tensor is missing */
export function planMatrices(spec: TransformerSpec, tensors: ReadonlyMap<string, TensorInfo>): ModelPlan {
  const { hiddenSize, vocabSize } = spec
  const plan = (numColumns: number, ...parts: Part[]) => planMatrix(tensors, numColumns, parts)
  const whole = (linear: LinearSpec, numRows: number): Part => ({ linear, numRows, place: inOrder(0) })
  const embedding = plan(hiddenSize, whole({ weight: spec.embedding.weight }, vocabSize))
  const isTied = spec.head.weight === spec.embedding.weight
  return {
    embedding,
    head: isTied ? embedding : plan(hiddenSize, whole({ weight: spec.head.weight }, vocabSize)),
    blocks: spec.blocks.map(({ attention, mlp }) => {
      const { numHeads, numKvHeads, headDim, query, key, value, output } = attention
      const [numQueries, numKeys] = [numHeads * headDim, numKvHeads * headDim]
      return {
        queryKeyValue: plan(
          hiddenSize,
          { linear: query, numRows: numQueries, place: inOrder(0) },
          { linear: key, numRows: numKeys, place: inOrder(numQueries) },
          { linear: value, numRows: numKeys, place: inOrder(numQueries + numKeys) },
        ),
        output: plan(numQueries, whole(output, hiddenSize)),
        gateUp: plan(
          hiddenSize,
          { linear: mlp.gate, numRows: mlp.intermediateSize, place: inTurns(0) },
          { linear: mlp.up, numRows: mlp.intermediateSize, place: inTurns(4) },
        ),
        down: plan(mlp.intermediateSize, whole(mlp.down, hiddenSize)),
      }
    }),
  }
}

function planMatrix(
  tensors: ReadonlyMap<string, TensorInfo>,
  numColumns: number,
  parts: readonly Part[],
): MatrixPlan {
  const types = parts.map(({ linear }) => tensorOf(tensors, linear.weight).type)
  const { format, layout } = tileFormat(types as [GgmlType, ...GgmlType[]])
  const numRows = Math.ceil(parts.reduce((sum, part) => sum + part.numRows, 0) / tileRows) * tileRows
  const hasBias = parts.some(({ linear }) => linear.bias !== undefined)
  return { format, layout, numRows, numColumns, hasBias, parts }
}

/** Norms' gains by name. */
export function vectorSizes(spec: TransformerSpec): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>([[spec.head.norm.weight, spec.hiddenSize]])
  for (const { attention, mlp } of spec.blocks) {
    const { numHeads, numKvHeads, headDim, queryNorm, keyNorm } = attention
    for (const norm of [attention.norm, attention.postNorm, mlp.norm, mlp.postNorm]) {
      if (norm !== undefined) sizes.set(norm.weight, spec.hiddenSize)
    }
    if (queryNorm !== undefined)
      sizes.set(queryNorm.weight, headDim * (queryNorm.over === 'all' ? numHeads : 1))
    if (keyNorm !== undefined) sizes.set(keyNorm.weight, headDim * (keyNorm.over === 'all' ? numKvHeads : 1))
  }
  return sizes
}

/** @throws BrasaError `malformed_model` */
export function tensorOf(tensors: ReadonlyMap<string, TensorInfo>, name: string): TensorInfo {
  const tensor = tensors.get(name)
  if (tensor !== undefined) return tensor
  throw new BrasaError('malformed_model', {
    message: `The model file has no tensor ${name}. Use a complete GGUF file.`,
    details: { tensor: name },
  })
}
