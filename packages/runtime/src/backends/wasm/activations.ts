import type { BlockSpec, TransformerSpec } from '../transformer-spec.ts'
import { tileRows } from './tiles.ts'

/** Rows of a prompt or a step that are computed together: four plans do for every length. */
export const planRows = [64, 16, 4, 1] as const

/** Parts of the keys that are attended to apart, at most: with more, joining them costs more than it wins. */
export const mostSplits = 8

/** Rows that a linear layer multiplies together: one, or four. */
export const rowsPerGroupOf = (numRows: number): 1 | 4 => (numRows === 1 ? 1 : 4)

/** Bytes of a row of floats whose matrix has whole tiles. */
export const paddedBytes = (width: number): number => Math.ceil(width / tileRows) * tileRows * 4

/** Bytes of every intermediate result of a forward pass over `numRows` rows. */
export function activationSizes(spec: TransformerSpec, numGroups: number, numRows: number) {
  const { hiddenSize, vocabSize, blocks } = spec
  const rowsPerGroup = rowsPerGroupOf(numRows)
  const rows = Math.ceil(numRows / rowsPerGroup) * rowsPerGroup
  const widest = (of: (block: BlockSpec) => number) => Math.max(hiddenSize, ...blocks.map(of))
  const inputWidth = Math.max(
    widest(({ attention }) => attention.numHeads * attention.headDim),
    widest(({ mlp }) => mlp.intermediateSize),
  )
  const qkvWidth = widest(
    ({ attention: { numHeads, numKvHeads, headDim } }) => (numHeads + 2 * numKvHeads) * headDim,
  )
  const numBlocks = Math.ceil(inputWidth / 32)
  return {
    tokens: rows * 4,
    /** Of each group of layers; see Row in assembly/ops.ts. */
    rowTables: numGroups * rows * 16,
    hidden: rows * paddedBytes(hiddenSize),
    qkv: rows * paddedBytes(qkvWidth),
    attended: rows * inputWidth * 4,
    activated: rows * inputWidth * 4,
    /** Outputs that are normalised before they are added. */
    aside: rows * paddedBytes(hiddenSize),
    floats: rows * inputWidth * 4,
    /** Of two bytes each, where activations are not of one. */
    quants: rows * numBlocks * 64,
    scales: rows * numBlocks * 4,
    sums: rows * numBlocks * 8,
    parts:
      rows *
      4 *
      Math.max(
        ...blocks.map(({ attention: { numHeads, headDim } }) => numHeads * mostSplits * (headDim + 4)),
      ),
    logits: paddedBytes(vocabSize),
  }
}
