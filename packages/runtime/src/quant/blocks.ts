import { BrasaError } from '../errors.ts'
import { type GgmlType, ggmlTypes } from '../formats/ggml-types.ts'
import { type BlockFormat, signedBytesOf, words16 } from './block-format.ts'
import { iq4_nl, iq4_xs } from './codebook-blocks.ts'
import { f16Table } from './f16.ts'
import { bf16Block, f16Block, f32Block } from './float-blocks.ts'
import { q2_k, q3_k, q4_k, q5_k, q6_k } from './k-blocks.ts'
import { q4_0, q4_1, q5_0, q5_1, q8_0 } from './legacy-blocks.ts'
import { type PlaneLayout, type Planes, planeLengths } from './planes.ts'

/** Every encoding that Brasa reads, with its sizes. */
export const blockFormats: Readonly<
  Record<GgmlType, BlockFormat & { blockSize: number; blockBytes: number }>
> = {
  F32: { ...ggmlTypes.F32, ...f32Block },
  F16: { ...ggmlTypes.F16, ...f16Block },
  BF16: { ...ggmlTypes.BF16, ...bf16Block },
  Q4_0: { ...ggmlTypes.Q4_0, ...q4_0 },
  Q4_1: { ...ggmlTypes.Q4_1, ...q4_1 },
  Q5_0: { ...ggmlTypes.Q5_0, ...q5_0 },
  Q5_1: { ...ggmlTypes.Q5_1, ...q5_1 },
  Q8_0: { ...ggmlTypes.Q8_0, ...q8_0 },
  Q2_K: { ...ggmlTypes.Q2_K, ...q2_k },
  Q3_K: { ...ggmlTypes.Q3_K, ...q3_k },
  Q4_K: { ...ggmlTypes.Q4_K, ...q4_k },
  Q5_K: { ...ggmlTypes.Q5_K, ...q5_k },
  Q6_K: { ...ggmlTypes.Q6_K, ...q6_k },
  IQ4_NL: { ...ggmlTypes.IQ4_NL, ...iq4_nl },
  IQ4_XS: { ...ggmlTypes.IQ4_XS, ...iq4_xs },
}

export function planeLayout(type: GgmlType): PlaneLayout {
  return blockFormats[type].plane
}

/**
 * Decodes whole blocks into `out`, one number a value, each rounded to f32 as ggml's dequantize_row does.
 * @throws BrasaError `internal` unless `bytes` is whole blocks and `out` holds exactly their values
 */
export function dequantise(type: GgmlType, bytes: Uint8Array, out: Float32Array | Float64Array): void {
  const { blockSize, blockBytes, decode } = blockFormats[type]
  const numBlocks = wholeBlocks(type, bytes)
  if (out.length !== numBlocks * blockSize) {
    throw new BrasaError('internal', {
      message: `${numBlocks} ${type} blocks do not fill ${out.length} values.`,
    })
  }
  const values = new Float64Array(blockSize)
  for (let block = 0; block < numBlocks; block++) {
    decode(bytes, block * blockBytes, values)
    for (let i = 0; i < blockSize; i++) out[block * blockSize + i] = Math.fround(values[i]!)
  }
}

/**
 * Repacks whole blocks into planes whose values equal `dequantise`'s. Linear in the block index: the planes of a tensor's
 * next piece follow those of the piece before. (A piece of F16 must have an even number of values to be followed.)
 * @throws BrasaError `internal` unless `bytes` is whole blocks
 */
export function repack(type: GgmlType, bytes: Uint8Array): Planes {
  const format = blockFormats[type]
  const numBlocks = wholeBlocks(type, bytes)
  const { quantWords, scaleFloats } = planeLengths(format.plane, numBlocks * format.blockSize)
  const quants = new Uint32Array(quantWords)
  const scales = new Float32Array(scaleFloats)
  format.repack(bytes.byteOffset % 4 === 0 ? bytes : bytes.slice(), numBlocks, quants, scales)
  return { layout: format.plane, quants, scales }
}

function wholeBlocks(type: GgmlType, bytes: Uint8Array): number {
  const numBlocks = bytes.length / ggmlTypes[type].blockBytes
  if (Number.isInteger(numBlocks)) return numBlocks
  throw new BrasaError('internal', {
    message: `${bytes.length} bytes are not a whole number of ${type} blocks.`,
  })
}

/** The first `count` values of `planes`, in f32 as a kernel computes them. */
export function decodePlanes({ layout, quants, scales }: Planes, count: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(count)
  const { groupSize, hasMin } = layout
  switch (layout.format) {
    case 'f32':
      new Uint32Array(values.buffer).set(quants.subarray(0, count))
      return values
    case 'f16': {
      const halves = f16Table()
      const bits = words16(signedBytesOf(quants))
      for (let i = 0; i < count; i++) values[i] = halves[bits[i]!]!
      return values
    }
    case 'q8': {
      const q = signedBytesOf(quants)
      const stride = hasMin ? 2 : 1
      for (let start = 0, group = 0; start < count; start += groupSize, group += stride) {
        const scale = scales[group]!
        const min = hasMin ? scales[group + 1]! : -0 // x + -0 is x, also for -0
        for (let i = start; i < start + groupSize; i++) values[i] = scale * q[i]! + min
      }
      return values
    }
    case 'q4':
      for (let start = 0, group = 0; start < count; start += 32, group += 2) {
        const scale = scales[group]!
        const min = scales[group + 1]!
        for (let j = 0; j < 4; j++) {
          const word = quants[start / 8 + j]!
          for (let p = 0; p < 4; p++) {
            const column = start + 4 * j + p
            values[column] = scale * ((word >>> (8 * p)) & 15) + min
            values[column + 16] = scale * ((word >>> (8 * p + 4)) & 15) + min
          }
        }
      }
      return values
  }
}

/**
 * The same values as `q8` planes with minimums and groups of `groupSize`, exactly: so that matrices of unlike integer
 * formats can share one dispatch. Groups of 16 cannot become groups of 32.
 * @throws BrasaError `internal` for float planes and for a larger group
 */
export function promoteToQ8(planes: Planes, groupSize: 16 | 32 = 32): Planes {
  const { layout } = planes
  if (layout.groupSize === 0 || layout.groupSize < groupSize) {
    throw new BrasaError('internal', {
      message: `${layout.format} planes with groups of ${layout.groupSize} cannot become q8 with groups of ${groupSize}.`,
    })
  }
  const count = planes.quants.length * (layout.format === 'q4' ? 8 : 4)
  const promoted = { format: 'q8', groupSize, hasMin: true } as const
  const scales = new Float32Array(planeLengths(promoted, count).scaleFloats)
  const stride = layout.hasMin ? 2 : 1
  for (let group = 0; group < scales.length / 2; group++) {
    const from = Math.floor((group * groupSize) / layout.groupSize) * stride
    scales[group * 2] = planes.scales[from]!
    scales[group * 2 + 1] = layout.hasMin ? planes.scales[from + 1]! : 0
  }
  const quants = layout.format === 'q4' ? widenNibbles(planes.quants) : planes.quants
  return { layout: promoted, quants, scales }
}

/** Four words of nibbles (columns 0-15 low, 16-31 high) to eight words of bytes. */
function widenNibbles(nibbles: Uint32Array): Uint32Array<ArrayBuffer> {
  const bytes = new Uint32Array(nibbles.length * 2)
  for (let index = 0; index < nibbles.length; index++) {
    const to = (index >> 2) * 8 + (index & 3)
    bytes[to] = nibbles[index]! & 0x0f0f0f0f
    bytes[to + 4] = (nibbles[index]! >>> 4) & 0x0f0f0f0f
  }
  return bytes
}
