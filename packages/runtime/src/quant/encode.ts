import { BrasaError } from '../errors.ts'
import { ggmlTypes } from '../formats/ggml-types.ts'
import { asF16, type EncodeBlock, writeF16 } from './block-format.ts'
import { encodeQ4K, encodeQ6K } from './encode-k.ts'
import { fitLine, fitScale, type LineFormat, nearest, type Values } from './fit.ts'

/** Encodings that Brasa writes. */
export const encodableTypes = ['Q8_0', 'Q4_0', 'Q4_1', 'Q4_K', 'Q6_K'] as const
export type EncodableType = (typeof encodableTypes)[number]

/**
 * Encodes values to whole blocks, each fitted by itself to the smallest squared error that the search finds: see fit.ts.
 * Layouts: ggml-common.h, as in legacy-blocks.ts and k-blocks.ts.
 * @param values finite, a whole number of blocks
 * @throws BrasaError `internal` for part of a block, `malformed_model` for a value that is no number
 */
export function quantise(type: EncodableType, values: Values): Uint8Array<ArrayBuffer> {
  const { blockSize, blockBytes } = ggmlTypes[type]
  const numBlocks = values.length / blockSize
  if (!Number.isInteger(numBlocks)) {
    throw new BrasaError('internal', {
      message: `${values.length} values are not a whole number of ${type} blocks.`,
    })
  }
  if (!values.every(Number.isFinite)) {
    throw new BrasaError('malformed_model', {
      message: 'A weight is not a finite number, and has no quantised form. The file is damaged.',
    })
  }
  const bytes = new Uint8Array(numBlocks * blockBytes)
  for (let block = 0; block < numBlocks; block++) {
    encoders[type](values, block * blockSize, bytes, block * blockBytes)
  }
  return bytes
}

/** Two values a byte, 16 apart. */
function writeNibble(bytes: Uint8Array, at: number, i: number, q: number): void {
  bytes[at + (i & 15)]! |= i < 16 ? q : q << 4
}

/** No search: with 127 steps on each side, what the largest value rules is all there is. */
const encodeQ8_0: EncodeBlock = (values, start, bytes, at) => {
  let largest = 0
  for (let i = start; i < start + 32; i++) largest = Math.max(largest, Math.abs(values[i]!))
  const scale = asF16(largest / 127)
  const inverse = scale === 0 ? 0 : 1 / scale
  writeF16(bytes, at, scale)
  for (let i = 0; i < 32; i++) bytes[at + 2 + i] = nearest(values[start + i]! * inverse, -127, 127)
}

const encodeQ4_0: EncodeBlock = (values, start, bytes, at) => {
  const scale = fitScale(values, start, 32, 7, asF16)
  const inverse = scale === 0 ? 0 : 1 / scale
  writeF16(bytes, at, scale)
  for (let i = 0; i < 32; i++) {
    writeNibble(bytes, at + 2, i, nearest(values[start + i]! * inverse, -8, 7) + 8)
  }
}

const q4_1Line: LineFormat = {
  most: 15,
  maxOffset: Number.POSITIVE_INFINITY,
  stored: ({ scale, offset }) => ({ scale: asF16(scale), offset: asF16(offset) }),
}

const encodeQ4_1: EncodeBlock = (values, start, bytes, at) => {
  const { scale, offset } = fitLine(values, start, 32, q4_1Line)
  const inverse = scale === 0 ? 0 : 1 / scale
  writeF16(bytes, at, scale)
  writeF16(bytes, at + 2, offset)
  for (let i = 0; i < 32; i++) {
    writeNibble(bytes, at + 4, i, nearest((values[start + i]! - offset) * inverse, 0, 15))
  }
}

const encoders: Record<EncodableType, EncodeBlock> = {
  Q8_0: encodeQ8_0,
  Q4_0: encodeQ4_0,
  Q4_1: encodeQ4_1,
  Q4_K: encodeQ4K,
  Q6_K: encodeQ6K,
}
