import { f16FromNumber, f16ToNumber } from './f16.ts'
import type { PlaneLayout } from './planes.ts'

/** How one GGML encoding is read. Layouts: ggml-common.h; decoding: dequantize_row_* in ggml-quants.c. */
export interface BlockFormat {
  readonly plane: PlaneLayout
  /**
   * The values of the block that begins at `bytes[at]`, written plainly, one formula a value. In f64 every product and
   * sum of these formulas is exact, so that rounding the result once gives what ggml's f32 arithmetic gives.
   */
  decode(bytes: Uint8Array, at: number, out: Float64Array): void
  /** Fills the planes of `numBlocks` blocks. `bytes` begins at a multiple of four bytes of its buffer. */
  repack(bytes: Uint8Array, numBlocks: number, quants: Uint32Array, scales: Float32Array): void
}

/** Writes the block of the values from `start` on, at `bytes[at]`, which is zero there. */
export type EncodeBlock = (
  values: Float32Array | Float64Array,
  start: number,
  bytes: Uint8Array,
  at: number,
) => void

export const q4Plane: PlaneLayout = { format: 'q4', groupSize: 32, hasMin: true }
export const q8Plane = (groupSize: 16 | 32, hasMin: boolean): PlaneLayout => ({
  format: 'q8',
  groupSize,
  hasMin,
})

export const u16 = (bytes: Uint8Array, at: number): number => bytes[at]! | (bytes[at + 1]! << 8)
export const f16 = (bytes: Uint8Array, at: number): number => f16ToNumber(u16(bytes, at))
export function writeF16(bytes: Uint8Array, at: number, value: number): void {
  const bits = f16FromNumber(value)
  bytes[at] = bits & 255
  bytes[at + 1] = bits >> 8
}
/** The value that a half gives back. */
export const asF16 = (value: number): number => f16ToNumber(f16FromNumber(value))
export const signedBytesOf = (words: Uint32Array): Int8Array =>
  new Int8Array(words.buffer, words.byteOffset, words.byteLength)
export const words16 = (bytes: Uint8Array | Int8Array): Uint16Array =>
  new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 1)
export const words32 = (bytes: Uint8Array): Uint32Array =>
  new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2)

/** Nibble i of a block of 32: the low halves of 16 bytes, then their high halves. */
export const nibble = (bytes: Uint8Array, at: number, i: number): number =>
  i < 16 ? bytes[at + i]! & 15 : bytes[at + i - 16]! >> 4

/** The word at a half-word's index: for blocks that begin at odd ones. */
export const wordAt = (source: Uint16Array, index: number): number =>
  source[index]! | (source[index + 1]! << 16)

/** Subtracts `zero` from each of four bytes that are under 2 * zero, to two's complement: an int32 operation all the way. */
export function signedBytes(q: number, zero: 4 | 16 | 32): number {
  const signs = Math.imul(zero, 0x01010101)
  const flipped = q ^ signs
  // The sign bit goes to every bit above it.
  return flipped | Math.imul(flipped & signs, 256 / zero - 2)
}
