import { type GgmlType, ggmlTypes } from '../../formats/ggml-types.ts'
import type { Heap } from './heap.ts'
import type { Kernels } from './kernels.ts'
import { blockBytes, formatCodes, type TileFormat, tileRows } from './tiles.ts'

/** A matrix in memory that blocks are written to. */
export interface RepackTarget {
  readonly address: number
  readonly format: TileFormat
  readonly numColumns: number
}

/**
 * Writes consecutive blocks of one tensor, as `writeTiles` writes their planes.
 * @param firstValue index in the tensor, row-major, of the first value
 * @param rowAt where a row of the tensor goes; undefined for rows of another matrix
 * @returns false where the planes must be written: of another encoding, or with scales that the format does not hold
 */
export type Repack = (
  type: GgmlType,
  bytes: Uint8Array,
  firstValue: number,
  target: RepackTarget,
  rowAt: (row: number) => number | undefined,
) => boolean

/** What assembly/repack.ts knows: encodings that files are made of, in the formats that they have by themselves and beside others. */
const known: Partial<Record<GgmlType, readonly TileFormat[]>> = {
  Q4_0: ['q4Half'],
  Q4_1: ['q4Half'],
  Q5_0: ['q8Half'],
  Q8_0: ['q8Half'],
  Q4_K: ['q4Full', 'q8Full16', 'q8Full32'],
  Q5_K: ['q8Full16', 'q8Full32'],
  Q6_K: ['q8Full16'],
}

/** What repacking takes of the kernels' memory: little enough for a processor's second cache. */
export const windowBytes = 64 * 1024
/** Kernels load vectors: the last one may reach past what it is for. */
const slackBytes = 16

/** Repacks on the caller's thread, through a window of the kernels' memory. */
export function createRepack(heap: Heap, kernels: Kernels): Repack {
  const window = heap.allocate(windowBytes + slackBytes)

  return (type, bytes, firstValue, { address, format, numColumns }, rowAt) => {
    if (known[type]?.includes(format) !== true) return false
    const { id, blockSize, blockBytes: fileBlockBytes } = ggmlTypes[type]
    const blocksPerRow = numColumns / blockSize
    const tileBlockBytes = blockBytes[format]
    const tileRowBytes = (tileBlockBytes * numColumns) / 32
    const perWindow = Math.floor(windowBytes / fileBlockBytes)
    const numBlocks = bytes.length / fileBlockBytes
    const source = new Uint8Array(heap.memory.buffer, window, windowBytes)
    for (let start = 0; start < numBlocks; start += perWindow) {
      const end = Math.min(start + perWindow, numBlocks)
      source.set(bytes.subarray(start * fileBlockBytes, end * fileBlockBytes))
      for (let block = start; block < end; ) {
        const index = firstValue / blockSize + block
        const inRow = index % blocksPerRow
        const count = Math.min(blocksPerRow - inRow, end - block)
        const row = rowAt(Math.floor(index / blocksPerRow))
        if (row !== undefined) {
          const isWhole = kernels.repackRow(
            id,
            formatCodes[format],
            window + (block - start) * fileBlockBytes,
            count,
            address + Math.floor(row / tileRows) * tileRowBytes + ((inRow * blockSize) / 32) * tileBlockBytes,
            row % tileRows,
          )
          if (isWhole === 0) return false
        }
        block += count
      }
    }
    return true
  }
}
