import { type BlockFormat, f16, nibble, q8Plane, signedBytesOf } from './block-format.ts'
import { f16Table } from './f16.ts'

/** What a nibble of the IQ4 types means; not linear in it. kvalues_iq4nl in ggml-common.h. */
const iq4Codebook = Int8Array.of(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113)

function unpackIq4(bytes: Uint8Array, at: number, q: Int8Array, to: number): void {
  for (let i = 0; i < 16; i++) {
    const byte = bytes[at + i]!
    q[to + i] = iq4Codebook[byte & 15]!
    q[to + 16 + i] = iq4Codebook[byte >> 4]!
  }
}

/** f16 d; 16 bytes of nibbles. y = d codebook[q]. */
export const iq4_nl: BlockFormat = {
  plane: q8Plane(32, false),
  decode(bytes, at, out) {
    const d = f16(bytes, at)
    for (let i = 0; i < 32; i++) out[i] = d * iq4Codebook[nibble(bytes, at + 2, i)]!
  },
  repack(bytes, numBlocks, quants, scales) {
    const q = signedBytesOf(quants)
    const halves = f16Table()
    for (let block = 0; block < numBlocks; block++) {
      const at = block * 18
      scales[block] = halves[bytes[at]! | (bytes[at + 1]! << 8)]!
      unpackIq4(bytes, at + 2, q, block * 32)
    }
  },
}

/** f16 d; u16 of upper scale bits; 4 bytes of lower ones; 128 bytes of nibbles. y = d (scale - 32) codebook[q], 8 groups of 32. */
export const iq4_xs: BlockFormat = {
  plane: q8Plane(32, false),
  decode(bytes, at, out) {
    const d = f16(bytes, at)
    for (let i = 0; i < 256; i++) {
      const group = i >> 5
      out[i] = d * iq4XsScale(bytes, at, group) * iq4Codebook[nibble(bytes, at + 8 + group * 16, i & 31)]!
    }
  },
  repack(bytes, numBlocks, quants, scales) {
    const q = signedBytesOf(quants)
    const halves = f16Table()
    for (let block = 0; block < numBlocks; block++) {
      const at = block * 136
      const d = halves[bytes[at]! | (bytes[at + 1]! << 8)]!
      for (let group = 0; group < 8; group++) {
        scales[block * 8 + group] = d * iq4XsScale(bytes, at, group)
        unpackIq4(bytes, at + 8 + group * 16, q, block * 256 + group * 32)
      }
    }
  },
}

function iq4XsScale(bytes: Uint8Array, at: number, group: number): number {
  const low = (bytes[at + 4 + (group >> 1)]! >> (4 * (group & 1))) & 15
  const high = (bytes[at + 2 + (group >> 2)]! >> (2 * (group & 3))) & 3
  return (low | (high << 4)) - 32
}
