import {
  type BlockFormat,
  f16,
  nibble,
  q4Plane,
  q8Plane,
  signedBytes,
  wordAt,
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
        quants[block * 4 + j] = wordAt(source, from + 1 + 2 * j)
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
    const source = words16(bytes)
    const halves = f16Table()
    for (let block = 0; block < numBlocks; block++) {
      const from = block * 11
      scales[block] = halves[source[from]!]!
      const fifthBits = wordAt(source, from + 1)
      for (let j = 0; j < 4; j++) {
        const nibbles = wordAt(source, from + 3 + 2 * j)
        const low = (nibbles & 0x0f0f0f0f) | spreadToBit4[(fifthBits >>> (4 * j)) & 15]!
        const high = ((nibbles >>> 4) & 0x0f0f0f0f) | spreadToBit4[(fifthBits >>> (16 + 4 * j)) & 15]!
        quants[block * 8 + j] = signedBytes(low, 16)
        quants[block * 8 + 4 + j] = signedBytes(high, 16)
      }
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
    const source = words32(bytes)
    const halves = f16Table()
    for (let block = 0; block < numBlocks; block++) {
      const from = block * 6
      scales[block * 2] = halves[source[from]! & 0xffff]!
      scales[block * 2 + 1] = halves[source[from]! >>> 16]!
      const fifthBits = source[from + 1]!
      for (let j = 0; j < 4; j++) {
        const nibbles = source[from + 2 + j]!
        quants[block * 8 + j] = (nibbles & 0x0f0f0f0f) | spreadToBit4[(fifthBits >>> (4 * j)) & 15]!
        quants[block * 8 + 4 + j] =
          ((nibbles >>> 4) & 0x0f0f0f0f) | spreadToBit4[(fifthBits >>> (16 + 4 * j)) & 15]!
      }
    }
  },
}

const fifthBit = (bytes: Uint8Array, at: number, i: number): number => (bytes[at + (i >> 3)]! >> (i & 7)) & 1

/** Four bits to bit 4 of four bytes. */
const spreadToBit4 = Uint32Array.from(
  { length: 16 },
  (_, bits) => ((bits & 1) << 4) | ((bits & 2) << 11) | ((bits & 4) << 18) | ((bits & 8) << 25),
)

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
        quants[to + j] = wordAt(source, from + 1 + 2 * j)
      }
    }
  },
}
