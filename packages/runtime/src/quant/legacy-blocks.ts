import {
  type BlockFormat,
  f16,
  nibble,
  q4Plane,
  q8Plane,
  signedBytesOf,
  words16,
  words32,
} from './block-format.ts'
import { f16Table } from './f16.ts'

/** f16 d; 16 bytes of nibbles. y = d (q - 8). */
export const q4_0: BlockFormat = {
  plane: q4Plane,
  decode(bytes, at, out) {
    const d = f16(bytes, at)
    for (let i = 0; i < 32; i++) out[i] = d * (nibble(bytes, at + 2, i) - 8)
  },
  repack(bytes, numBlocks, quants, scales) {
    const source = words16(bytes)
    const halves = f16Table()
    for (let block = 0; block < numBlocks; block++) {
      const from = block * 9
      const d = halves[source[from]!]!
      scales[block * 2] = d
      scales[block * 2 + 1] = -8 * d
      for (let j = 0; j < 4; j++) {
        quants[block * 4 + j] = source[from + 1 + 2 * j]! | (source[from + 2 + 2 * j]! << 16)
      }
    }
  },
}

/** f16 d, m; 16 bytes of nibbles. y = d q + m. */
export const q4_1: BlockFormat = {
  plane: q4Plane,
  decode(bytes, at, out) {
    const d = f16(bytes, at)
    const m = f16(bytes, at + 2)
    for (let i = 0; i < 32; i++) out[i] = d * nibble(bytes, at + 4, i) + m
  },
  repack(bytes, numBlocks, quants, scales) {
    const source = words32(bytes)
    const halves = f16Table()
    for (let block = 0, from = 0, to = 0; block < numBlocks; block++, from += 5, to += 4) {
      const dm = source[from]!
      scales[block * 2] = halves[dm & 0xffff]!
      scales[block * 2 + 1] = halves[dm >>> 16]!
      quants[to] = source[from + 1]!
      quants[to + 1] = source[from + 2]!
      quants[to + 2] = source[from + 3]!
      quants[to + 3] = source[from + 4]!
    }
  },
}

/** f16 d; u32 of fifth bits; 16 bytes of nibbles. y = d (q - 16). */
export const q5_0: BlockFormat = {
  plane: q8Plane(32, false),
  decode(bytes, at, out) {
    const d = f16(bytes, at)
    for (let i = 0; i < 32; i++)
      out[i] = d * ((nibble(bytes, at + 6, i) | (fifthBit(bytes, at + 2, i) << 4)) - 16)
  },
  repack(bytes, numBlocks, quants, scales) {
    const q = signedBytesOf(quants)
    const halves = f16Table()
    for (let block = 0; block < numBlocks; block++) {
      const at = block * 22
      scales[block] = halves[bytes[at]! | (bytes[at + 1]! << 8)]!
      unpackFiveBits(bytes, at + 2, q, block * 32, 16)
    }
  },
}

/** f16 d, m; u32 of fifth bits; 16 bytes of nibbles. y = d q + m. */
export const q5_1: BlockFormat = {
  plane: q8Plane(32, true),
  decode(bytes, at, out) {
    const d = f16(bytes, at)
    const m = f16(bytes, at + 2)
    for (let i = 0; i < 32; i++)
      out[i] = d * (nibble(bytes, at + 8, i) | (fifthBit(bytes, at + 4, i) << 4)) + m
  },
  repack(bytes, numBlocks, quants, scales) {
    const q = signedBytesOf(quants)
    const halves = f16Table()
    for (let block = 0; block < numBlocks; block++) {
      const at = block * 24
      scales[block * 2] = halves[bytes[at]! | (bytes[at + 1]! << 8)]!
      scales[block * 2 + 1] = halves[bytes[at + 2]! | (bytes[at + 3]! << 8)]!
      unpackFiveBits(bytes, at + 4, q, block * 32, 0)
    }
  },
}

const fifthBit = (bytes: Uint8Array, at: number, i: number): number => (bytes[at + (i >> 3)]! >> (i & 7)) & 1

function unpackFiveBits(bytes: Uint8Array, at: number, q: Int8Array, to: number, zero: number): void {
  for (let i = 0; i < 16; i++) {
    const byte = bytes[at + 4 + i]!
    const low = bytes[at + (i >> 3)]! >> (i & 7)
    const high = bytes[at + 2 + (i >> 3)]! >> (i & 7)
    q[to + i] = ((byte & 15) | ((low & 1) << 4)) - zero
    q[to + 16 + i] = ((byte >> 4) | ((high & 1) << 4)) - zero
  }
}

/** f16 d; 32 signed bytes. y = d q. */
export const q8_0: BlockFormat = {
  plane: q8Plane(32, false),
  decode(bytes, at, out) {
    const d = f16(bytes, at)
    for (let i = 0; i < 32; i++) out[i] = d * ((bytes[at + 2 + i]! << 24) >> 24)
  },
  repack(bytes, numBlocks, quants, scales) {
    const source = words16(bytes)
    const halves = f16Table()
    for (let block = 0, from = 0, to = 0; block < numBlocks; block++, from += 17, to += 8) {
      scales[block] = halves[source[from]!]!
      for (let j = 0; j < 8; j++) {
        quants[to + j] = source[from + 1 + 2 * j]! | (source[from + 2 + 2 * j]! << 16)
      }
    }
  },
}
