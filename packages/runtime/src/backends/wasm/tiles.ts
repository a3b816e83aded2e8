import { BrasaError } from '../../errors.ts'
import type { GgmlType } from '../../formats/ggml-types.ts'
import { planeLayout } from '../../quant/blocks.ts'
import { commonLayout } from '../../quant/convert.ts'
import { f16FromNumber, f16ToNumber } from '../../quant/f16.ts'
import type { PlaneLayout, Planes } from '../../quant/planes.ts'

/**
 * How a matrix lies for the kernels of assembly/linear_*.ts: tiles of 8 rows, and in a tile block after block of 32 columns.
 * A lane of a vector is a row, so that products need no sums across lanes and scales are vectors too.
 *
 * - `q4Half`, `q4Full`: 8 scales, 8 minimums (halves or floats), then 4 times 8 words of nibbles, in the planes' own order
 * - `q8Half`: 8 scales as halves, then 8 times 8 words of bytes; a value is scale * (byte - 128)
 * - `q8Full32`, `q8Full16`: for each group of 32 or 16 columns 8 scales and 8 minimums, then 8 times 8 words of bytes; a value
 *   is scale * byte + minimum
 * - `f16`, `f32`: 8 values for each column
 */
export type TileFormat = 'q4Half' | 'q4Full' | 'q8Half' | 'q8Full16' | 'q8Full32' | 'f16' | 'f32'

/** As assembly/ops.ts counts them. */
export const formatCodes: Readonly<Record<TileFormat, number>> = {
  q4Half: 0,
  q4Full: 1,
  q8Half: 2,
  q8Full16: 3,
  q8Full32: 4,
  f16: 5,
  f32: 6,
}

/** Bytes of a tile for each block of 32 columns. */
export const blockBytes: Readonly<Record<TileFormat, number>> = {
  q4Half: 160,
  q4Full: 192,
  q8Half: 272,
  q8Full16: 384,
  q8Full32: 320,
  f16: 512,
  f32: 1024,
}

export const tileRows = 8

export const isFloat = (format: TileFormat): boolean => format === 'f16' || format === 'f32'

/** Bytes of a matrix, its last tile whole. */
export function tileBytes(format: TileFormat, numRows: number, numColumns: number): number {
  return (Math.ceil(numRows / tileRows) * blockBytes[format] * numColumns) / 32
}

/** Encodings whose scales are halves, so that they need not be widened. */
const halfScaled: ReadonlySet<GgmlType> = new Set(['Q4_0', 'Q4_1', 'Q5_0', 'Q8_0'])

/** The format and planes that hold matrices of all these encodings exactly, as one matrix. */
export function tileFormat(types: readonly [GgmlType, ...GgmlType[]]): {
  readonly format: TileFormat
  readonly layout: PlaneLayout
} {
  const [first, ...others] = types.map(planeLayout)
  const layout = commonLayout([first!, ...others])
  const areHalves = types.every((type) => halfScaled.has(type))
  switch (layout.format) {
    case 'q4':
      return { layout, format: areHalves ? 'q4Half' : 'q4Full' }
    case 'q8':
      if (areHalves && !layout.hasMin) return { layout, format: 'q8Half' }
      return { layout, format: layout.groupSize === 16 ? 'q8Full16' : 'q8Full32' }
    default:
      return { layout, format: layout.format }
  }
}

/** A matrix in memory, as the views of it that writing wants. */
export interface TileTarget {
  readonly format: TileFormat
  readonly numColumns: number
  readonly words: Uint32Array
  readonly floats: Float32Array
  readonly halves: Uint16Array
}

/**
 * Writes consecutive values of one tensor.
 * @param planes in the layout that `tileFormat` gave
 * @param firstValue index in the tensor, row-major, of the first value; a multiple of 32 where the format is quantised
 * @param rowAt where a row of the tensor goes; undefined for rows of another matrix
 */
export function writeTiles(
  target: TileTarget,
  planes: Planes,
  firstValue: number,
  count: number,
  rowAt: (row: number) => number | undefined,
): void {
  if (isFloat(target.format)) writeFloats(target, planes, firstValue, count, rowAt)
  else writeBlocks(target, planes, firstValue, count, rowAt)
}

function writeBlocks(
  { format, numColumns, words, floats, halves }: TileTarget,
  { layout, quants, scales }: Planes,
  firstValue: number,
  count: number,
  rowAt: (row: number) => number | undefined,
): void {
  const blocksPerRow = numColumns / 32
  const perBlock = blockBytes[format] / 4
  const isQ4 = layout.format === 'q4'
  const wordsPerBlock = isQ4 ? 4 : 8
  const groups = 32 / layout.groupSize
  const scaleStride = layout.hasMin ? 2 : 1
  const factorWords = { q4Half: 8, q4Full: 16, q8Half: 4, q8Full16: 32, q8Full32: 16, f16: 0, f32: 0 }[format]
  const firstBlock = firstValue / 32
  for (let index = 0; index < count / 32; index++) {
    const block = firstBlock + index
    const row = rowAt(Math.floor(block / blocksPerRow))
    if (row === undefined) continue
    const lane = row % tileRows
    const at = (Math.floor(row / tileRows) * blocksPerRow + (block % blocksPerRow)) * perBlock
    for (let group = 0; group < groups; group++) {
      const from = (index * groups + group) * scaleStride
      const scale = scales[from]!
      const min = layout.hasMin ? scales[from + 1]! : 0
      if (format === 'q4Half') {
        halves[at * 2 + lane] = half(scale)
        halves[at * 2 + 8 + lane] = half(min)
      } else if (format === 'q8Half') {
        halves[at * 2 + lane] = half(scale)
      } else {
        floats[at + group * 16 + lane] = scale
        floats[at + group * 16 + 8 + lane] = isQ4 ? min : min - 128 * scale
      }
    }
    for (let word = 0; word < wordsPerBlock; word++) {
      const bits = quants[index * wordsPerBlock + word]!
      words[at + factorWords + word * tileRows + lane] = isQ4 ? bits : bits ^ 0x80808080
    }
  }
}

function half(value: number): number {
  const bits = f16FromNumber(value)
  if (f16ToNumber(bits) === value) return bits
  throw new BrasaError('malformed_model', {
    message: `The model has a block whose scale is ${value}, out of range. Download or convert the file again.`,
  })
}

function writeFloats(
  { format, numColumns, floats, halves }: TileTarget,
  { layout, quants }: Planes,
  firstValue: number,
  count: number,
  rowAt: (row: number) => number | undefined,
): void {
  const sourceHalves = new Uint16Array(quants.buffer, quants.byteOffset, quants.length * 2)
  const sourceFloats = new Float32Array(quants.buffer, quants.byteOffset, quants.length)
  for (let index = 0; index < count; index++) {
    const value = firstValue + index
    const row = rowAt(Math.floor(value / numColumns))
    if (row === undefined) continue
    const at = (Math.floor(row / tileRows) * numColumns + (value % numColumns)) * tileRows + (row % tileRows)
    if (format === 'f16') halves[at] = sourceHalves[index]!
    else floats[at] = layout.format === 'f32' ? sourceFloats[index]! : Number.NaN
  }
}
