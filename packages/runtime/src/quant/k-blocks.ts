// Super-blocks of 256 values with quantised scales. Repacking works on four columns, a word, at a time.

import {
  type BlockFormat,
  f16,
  q4Plane,
  q8Plane,
  signedBytes,
  wordAt,
  words16,
  words32,
} from './block-format.ts'
import { f16Table } from './f16.ts'

/** Two bits of value i: four values share a byte, 32 apart. */
const twoBits = (bytes: Uint8Array, at: number, i: number): number =>
  (bytes[at + (i >> 7) * 32 + (i & 31)]! >> (2 * ((i >> 5) & 3))) & 3

/** 16 bytes of scale and minimum nibbles; 64 bytes of 2-bit values; f16 d, dmin. y = d scale q - dmin min, 16 groups of 16. */
export const q2_k: BlockFormat = {
  plane: q8Plane(16, true),
  decode(bytes, at, out) {
    const d = f16(bytes, at + 80)
    const dmin = f16(bytes, at + 82)
    for (let i = 0; i < 256; i++) {
      const scales = bytes[at + (i >> 4)]!
      out[i] = d * (scales & 15) * twoBits(bytes, at + 16, i) - dmin * (scales >> 4)
    }
  },
  repack(bytes, numBlocks, quants, scales) {
    const source = words32(bytes)
    const halves = f16Table()
    for (let block = 0; block < numBlocks; block++) {
      const from = block * 21
      const d = halves[source[from + 20]! & 0xffff]!
      const dmin = halves[source[from + 20]! >>> 16]!
      for (let group = 0; group < 16; group++) {
        const byte = bytes[block * 84 + group]!
        scales[block * 32 + group * 2] = d * (byte & 15)
        scales[block * 32 + group * 2 + 1] = -dmin * (byte >> 4)
      }
      for (let word = 0; word < 64; word++) {
        const twoBits = source[from + 4 + (word >> 5) * 8 + (word & 7)]! >>> (2 * ((word >> 3) & 3))
        quants[block * 64 + word] = twoBits & 0x03030303
      }
    }
  },
}

/** 32 bytes of third bits (0 means minus 4); 64 bytes of 2-bit values; 12 bytes of 6-bit scales; f16 d. y = d (scale - 32) q, 16 groups of 16. */
export const q3_k: BlockFormat = {
  plane: q8Plane(16, false),
  decode(bytes, at, out) {
    const d = f16(bytes, at + 108)
    for (let i = 0; i < 256; i++) out[i] = d * q3Scale(bytes, at + 96, i >> 4) * q3Value(bytes, at, i)
  },
  repack(bytes, numBlocks, quants, scales) {
    const source = words16(bytes)
    const halves = f16Table()
    for (let block = 0; block < numBlocks; block++) {
      const from = block * 55
      const d = halves[source[from + 54]!]!
      for (let group = 0; group < 16; group++) {
        scales[block * 16 + group] = d * q3Scale(bytes, block * 110 + 96, group)
      }
      for (let word = 0; word < 64; word++) {
        const column = 2 * (word & 7)
        const twoBits = wordAt(source, from + 16 + (word >> 5) * 16 + column) >>> (2 * ((word >> 3) & 3))
        const thirdBit = wordAt(source, from + column) >>> (word >> 3)
        const q = (twoBits & 0x03030303) | ((thirdBit & 0x01010101) << 2)
        quants[block * 64 + word] = signedBytes(q, 4)
      }
    }
  },
}

const q3Value = (bytes: Uint8Array, at: number, i: number): number =>
  twoBits(bytes, at + 32, i) - ((bytes[at + (i & 31)]! >> (i >> 5)) & 1 ? 0 : 4)

function q3Scale(bytes: Uint8Array, at: number, group: number): number {
  const low = group < 8 ? bytes[at + group]! & 15 : bytes[at + group - 8]! >> 4
  const high = (bytes[at + 8 + (group & 3)]! >> (2 * (group >> 2))) & 3
  return (low | (high << 4)) - 32
}

/** Six-bit scale of one of eight groups, out of 12 bytes. get_scale_min_k4 in ggml-quants.c. */
const scaleK4 = (bytes: Uint8Array, at: number, group: number): number =>
  group < 4 ? bytes[at + group]! & 63 : (bytes[at + group + 4]! & 15) | ((bytes[at + group - 4]! >> 6) << 4)

const minK4 = (bytes: Uint8Array, at: number, group: number): number =>
  group < 4 ? bytes[at + group + 4]! & 63 : (bytes[at + group + 4]! >> 4) | ((bytes[at + group]! >> 6) << 4)

/** Nibble of value i: the low halves of 32 bytes, then their high halves, four times. */
const nibbleK4 = (bytes: Uint8Array, at: number, i: number): number =>
  (bytes[at + (i >> 6) * 32 + (i & 31)]! >> (4 * ((i >> 5) & 1))) & 15

function repackScalesK4(
  bytes: Uint8Array,
  at: number,
  scales: Float32Array,
  to: number,
  halves: Float32Array,
): void {
  const d = halves[bytes[at]! | (bytes[at + 1]! << 8)]!
  const dmin = halves[bytes[at + 2]! | (bytes[at + 3]! << 8)]!
  for (let group = 0; group < 8; group++) {
    scales[to + group * 2] = d * scaleK4(bytes, at + 4, group)
    scales[to + group * 2 + 1] = -dmin * minK4(bytes, at + 4, group)
  }
}

/** f16 d, dmin; 12 bytes of 6-bit scales and minimums; 128 bytes of nibbles. y = d scale q - dmin min, 8 groups of 32. */
export const q4_k: BlockFormat = {
  plane: q4Plane,
  decode(bytes, at, out) {
    const d = f16(bytes, at)
    const dmin = f16(bytes, at + 2)
    for (let i = 0; i < 256; i++) {
      const group = i >> 5
      out[i] =
        d * scaleK4(bytes, at + 4, group) * nibbleK4(bytes, at + 16, i) - dmin * minK4(bytes, at + 4, group)
    }
  },
  repack(bytes, numBlocks, quants, scales) {
    const source = words32(bytes)
    const halves = f16Table()
    for (let block = 0; block < numBlocks; block++) {
      repackScalesK4(bytes, block * 144, scales, block * 16, halves)
      for (let pair = 0; pair < 4; pair++) {
        const from = block * 36 + 4 + pair * 8
        const to = block * 32 + pair * 8
        for (let j = 0; j < 4; j++) {
          const first = source[from + j]!
          const second = source[from + 4 + j]!
          quants[to + j] = (first & 0x0f0f0f0f) | ((second & 0x0f0f0f0f) << 4)
          quants[to + 4 + j] = ((first >>> 4) & 0x0f0f0f0f) | (second & 0xf0f0f0f0)
        }
      }
    }
  },
}

/** As Q4_K, with 32 bytes of fifth bits before the nibbles. */
export const q5_k: BlockFormat = {
  plane: q8Plane(32, true),
  decode(bytes, at, out) {
    const d = f16(bytes, at)
    const dmin = f16(bytes, at + 2)
    for (let i = 0; i < 256; i++) {
      const group = i >> 5
      out[i] = d * scaleK4(bytes, at + 4, group) * q5Value(bytes, at, i) - dmin * minK4(bytes, at + 4, group)
    }
  },
  repack(bytes, numBlocks, quants, scales) {
    const source = words32(bytes)
    const halves = f16Table()
    for (let block = 0; block < numBlocks; block++) {
      const from = block * 44
      repackScalesK4(bytes, block * 176, scales, block * 16, halves)
      for (let word = 0; word < 64; word++) {
        const nibbles = source[from + 12 + (word >> 4) * 8 + (word & 7)]! >>> (4 * ((word >> 3) & 1))
        const fifthBit = source[from + 4 + (word & 7)]! >>> (word >> 3)
        quants[block * 64 + word] = (nibbles & 0x0f0f0f0f) | ((fifthBit & 0x01010101) << 4)
      }
    }
  },
}

const q5Value = (bytes: Uint8Array, at: number, i: number): number =>
  nibbleK4(bytes, at + 48, i) | (((bytes[at + 16 + (i & 31)]! >> (i >> 5)) & 1) << 4)

/** 128 bytes of nibbles; 64 bytes of upper two bits; 16 signed scales; f16 d. y = d scale (q - 32), 16 groups of 16. */
export const q6_k: BlockFormat = {
  plane: q8Plane(16, false),
  decode(bytes, at, out) {
    const d = f16(bytes, at + 208)
    for (let i = 0; i < 256; i++)
      out[i] = d * ((bytes[at + 192 + (i >> 4)]! << 24) >> 24) * q6Value(bytes, at, i)
  },
  repack(bytes, numBlocks, quants, scales) {
    const source = words16(bytes)
    const halves = f16Table()
    for (let block = 0; block < numBlocks; block++) {
      const from = block * 105
      const d = halves[source[from + 104]!]!
      for (let group = 0; group < 16; group++) {
        scales[block * 16 + group] = d * ((bytes[block * 210 + 192 + group]! << 24) >> 24)
      }
      for (let word = 0; word < 64; word++) {
        const half = word >> 5
        const quarter = (word >> 3) & 3
        const column = 2 * (word & 7)
        const nibbles =
          wordAt(source, from + half * 32 + (quarter & 1) * 16 + column) >>> (4 * (quarter >> 1))
        const upperBits = wordAt(source, from + 64 + half * 16 + column) >>> (2 * quarter)
        const q = (nibbles & 0x0f0f0f0f) | ((upperBits & 0x03030303) << 4)
        quants[block * 64 + word] = signedBytes(q, 32)
      }
    }
  },
}

const q6Value = (bytes: Uint8Array, at: number, i: number): number =>
  (((bytes[at + (i >> 7) * 64 + (i & 63)]! >> (4 * ((i >> 6) & 1))) & 15) |
    (twoBits(bytes, at + 128, i) << 4)) -
  32
