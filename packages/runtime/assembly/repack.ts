import { loadHalves } from './dot'
import { Format } from './ops'

// Blocks of a model file to tiles, as src/backends/wasm/tiles.ts draws them, bit for bit what `writeTiles` makes of the same
// blocks' planes. A call takes blocks of one row, which is one lane of its tile: its words are 32 bytes apart, so that they
// are copied one by one; what a tile has is still in the cache when its next row comes.

/** As ggml.h numbers the encodings that are repacked here. */
enum Encoding {
  Q4_0 = 2,
  Q4_1 = 3,
  Q5_0 = 6,
  Q8_0 = 8,
  Q4_K = 12,
  Q5_K = 13,
  Q6_K = 14,
}

/** Bytes from a word of a lane to its next. */
const next: usize = 32

/**
 * @param numBlocks of the file's own at `source`
 * @param tile address of the tile's block that has the first of their columns
 * @returns whether all scales are what the format holds exactly; if not, the tile is left half written
 */
export function repackRow(
  encoding: i32,
  format: i32,
  source: usize,
  numBlocks: i32,
  tile: usize,
  lane: i32,
): bool {
  switch (encoding) {
    case Encoding.Q4_0:
      return repackQ4_0(source, numBlocks, tile, <usize>lane)
    case Encoding.Q4_1:
      return repackQ4_1(source, numBlocks, tile, <usize>lane)
    case Encoding.Q5_0:
      return repackQ5_0(source, numBlocks, tile, <usize>lane)
    case Encoding.Q8_0:
      return repackQ8_0(source, numBlocks, tile, <usize>lane)
    case Encoding.Q4_K:
      return repackQ4_K(source, numBlocks, tile, <usize>lane, format)
    case Encoding.Q5_K:
      return repackQ5_K(source, numBlocks, tile, <usize>lane, format)
    case Encoding.Q6_K:
      return repackQ6_K(source, numBlocks, tile, <usize>lane)
    default:
      return false
  }
}

// @ts-ignore: decorator
@inline
function isFinite(half: u32): bool {
  return (half & 0x7c00) != 0x7c00
}

/** Zero has no sign here. */
// @ts-ignore: decorator
@inline
function unsignedZero(half: u32): u16 {
  return <u16>(half == 0x8000 ? 0 : half)
}

/** -8 times a half; `isFinite` is false of it where it is out of range. */
function minusEight(half: u32): u32 {
  const sign = (half & 0x8000) ^ 0x8000
  const size = half & 0x7fff
  if (size >= 0x0400) return size >= 28 << 10 ? 0x7c00 : sign | (size + (3 << 10))
  const fraction = size << 3
  if (fraction == 0) return 0
  if (fraction < 0x0400) return sign | fraction
  // Normal from here on: the leading bit goes, and its place is the exponent.
  const shift = 21 - clz(fraction)
  return sign | ((shift + 1) << 10) | ((fraction >> shift) & 0x03ff)
}

function repackQ4_0(source: usize, numBlocks: i32, tile: usize, lane: usize): bool {
  const halves = lane << 1
  const words = 32 + (lane << 2)
  for (let block = 0; block < numBlocks; block++) {
    const scale = <u32>load<u16>(source)
    const min = minusEight(scale)
    if (!isFinite(scale) || !isFinite(min)) return false
    store<u16>(tile + halves, unsignedZero(scale))
    store<u16>(tile + halves, <u16>min, 16)
    copyNibbles(source + 2, tile + words)
    source += 18
    tile += 160
  }
  return true
}

function repackQ4_1(source: usize, numBlocks: i32, tile: usize, lane: usize): bool {
  const halves = lane << 1
  const words = 32 + (lane << 2)
  for (let block = 0; block < numBlocks; block++) {
    const scale = <u32>load<u16>(source)
    const min = <u32>load<u16>(source, 2)
    if (!isFinite(scale) || !isFinite(min)) return false
    store<u16>(tile + halves, unsignedZero(scale))
    store<u16>(tile + halves, unsignedZero(min), 16)
    copyNibbles(source + 4, tile + words)
    source += 20
    tile += 160
  }
  return true
}

// @ts-ignore: decorator
@inline
function copyNibbles(source: usize, words: usize): void {
  store<u32>(words, load<u32>(source))
  store<u32>(words, load<u32>(source, 4), next)
  store<u32>(words, load<u32>(source, 8), 2 * next)
  store<u32>(words, load<u32>(source, 12), 3 * next)
}

/** Signed bytes, as unsigned ones from 128 on; a fifth bit is worth 16 of them. */
function repackQ5_0(source: usize, numBlocks: i32, tile: usize, lane: usize): bool {
  const halves = lane << 1
  const words = 16 + (lane << 2)
  for (let block = 0; block < numBlocks; block++) {
    const scale = <u32>load<u16>(source)
    if (!isFinite(scale)) return false
    store<u16>(tile + halves, unsignedZero(scale))
    const fifths = load<u32>(source, 2)
    for (let j: usize = 0; j < 4; j++) {
      const nibbles = load<u32>(source + (j << 2), 6)
      const low = (nibbles & 0x0f0f0f0f) | spread(fifths >> (<u32>j << 2))
      const high = ((nibbles >> 4) & 0x0f0f0f0f) | spread(fifths >> ((<u32>j << 2) + 16))
      const at = tile + words + j * next
      store<u32>(at, low + 0x70707070)
      store<u32>(at, high + 0x70707070, 4 * next)
    }
    source += 22
    tile += 272
  }
  return true
}

/** The lowest four bits, each to bit 4 of a byte. */
// @ts-ignore: decorator
@inline
function spread(bits: u32): u32 {
  return ((bits & 1) << 4) | ((bits & 2) << 11) | ((bits & 4) << 18) | ((bits & 8) << 25)
}

function repackQ8_0(source: usize, numBlocks: i32, tile: usize, lane: usize): bool {
  const halves = lane << 1
  const words = 16 + (lane << 2)
  for (let block = 0; block < numBlocks; block++) {
    const scale = <u32>load<u16>(source)
    if (!isFinite(scale)) return false
    store<u16>(tile + halves, unsignedZero(scale))
    for (let j: usize = 0; j < 8; j++) {
      store<u32>(tile + words + j * next, load<u32>(source + (j << 2), 2) ^ 0x80808080)
    }
    source += 34
    tile += 272
  }
  return true
}

/** Six bits of one of eight groups, out of 12 bytes: get_scale_min_k4 in ggml-quants.c. */
// @ts-ignore: decorator
@inline
function scaleOf(scales: usize, group: usize): u32 {
  if (group < 4) return load<u8>(scales + group) & 63
  return (load<u8>(scales + group, 4) & 15) | ((load<u8>(scales + group - 4) >> 6) << 4)
}

// @ts-ignore: decorator
@inline
function minOf(scales: usize, group: usize): u32 {
  if (group < 4) return load<u8>(scales + group, 4) & 63
  return (load<u8>(scales + group, 4) >> 4) | ((load<u8>(scales + group) >> 6) << 4)
}

/**
 * Scale and minimum of 32 columns, as floats; a byte that is 128 more than the file's costs the minimum 128 scales.
 * @returns where the columns' words begin
 */
// @ts-ignore: decorator
@inline
function storeFactors(tile: usize, lane: usize, format: i32, scale: f32, min: f32): usize {
  const at = tile + (lane << 2)
  const value = format == Format.Q4Full ? min : <f32>(<f64>min - 128 * <f64>scale)
  store<f32>(at, scale)
  store<f32>(at, value, 32)
  if (format != Format.Q8Full16) return at + 64
  store<f32>(at, scale, 64)
  store<f32>(at, value, 96)
  return at + 128
}

function repackQ4_K(source: usize, numBlocks: i32, tile: usize, lane: usize, format: i32): bool {
  const perBlock: usize = format == Format.Q4Full ? 192 : format == Format.Q8Full16 ? 384 : 320
  for (let block = 0; block < numBlocks; block++) {
    if (!isFinite(load<u16>(source)) || !isFinite(load<u16>(source, 2))) return false
    const factors = loadHalves(source)
    const d = f32x4.extract_lane(factors, 0)
    const dmin = -f32x4.extract_lane(factors, 1)
    for (let group: usize = 0; group < 8; group++) {
      const scale = d * <f32>scaleOf(source + 4, group)
      const words = storeFactors(tile, lane, format, scale, dmin * <f32>minOf(source + 4, group))
      const nibbles = source + 16 + ((group >> 1) << 5)
      const shift = <u32>(group & 1) << 2
      for (let j: usize = 0; j < 4; j++) {
        const low = (load<u32>(nibbles + (j << 2)) >> shift) & 0x0f0f0f0f
        const high = (load<u32>(nibbles + (j << 2), 16) >> shift) & 0x0f0f0f0f
        const at = words + j * next
        if (format == Format.Q4Full) {
          store<u32>(at, low | (high << 4))
        } else {
          store<u32>(at, low | 0x80808080)
          store<u32>(at, high | 0x80808080, 4 * next)
        }
      }
      tile += perBlock
    }
    source += 144
  }
  return true
}

function repackQ5_K(source: usize, numBlocks: i32, tile: usize, lane: usize, format: i32): bool {
  const perBlock: usize = format == Format.Q8Full16 ? 384 : 320
  for (let block = 0; block < numBlocks; block++) {
    if (!isFinite(load<u16>(source)) || !isFinite(load<u16>(source, 2))) return false
    const factors = loadHalves(source)
    const d = f32x4.extract_lane(factors, 0)
    const dmin = -f32x4.extract_lane(factors, 1)
    for (let group: usize = 0; group < 8; group++) {
      const scale = d * <f32>scaleOf(source + 4, group)
      const words = storeFactors(tile, lane, format, scale, dmin * <f32>minOf(source + 4, group))
      const nibbles = source + 48 + ((group >> 1) << 5)
      const shift = <u32>(group & 1) << 2
      for (let j: usize = 0; j < 8; j++) {
        const low = (load<u32>(nibbles + (j << 2)) >> shift) & 0x0f0f0f0f
        const fifths = (load<u32>(source + (j << 2), 16) >> <u32>group) & 0x01010101
        store<u32>(words + j * next, low | (fifths << 4) | 0x80808080)
      }
      tile += perBlock
    }
    source += 176
  }
  return true
}

/** Six bits from -32 on: 96 less than the tile's bytes. */
function repackQ6_K(source: usize, numBlocks: i32, tile: usize, lane: usize): bool {
  for (let block = 0; block < numBlocks; block++) {
    if (!isFinite(load<u16>(source, 208))) return false
    const d = f32x4.extract_lane(loadHalves(source + 208), 0)
    for (let group: usize = 0; group < 8; group++) {
      for (let half: usize = 0; half < 2; half++) {
        const scale = d * <f32>load<i8>(source + (group << 1) + half, 192)
        const at = tile + (half << 6) + (lane << 2)
        store<f32>(at, scale)
        store<f32>(at, <f32>0 - 128 * scale, 32)
      }
      const nibbles = source + ((group >> 2) << 6) + ((group & 1) << 5)
      const nibbleShift = <u32>((group >> 1) & 1) << 2
      const uppers = source + 128 + ((group >> 2) << 5)
      const upperShift = <u32>(group & 3) << 1
      const words = tile + 128 + (lane << 2)
      for (let j: usize = 0; j < 8; j++) {
        const low = (load<u32>(nibbles + (j << 2)) >> nibbleShift) & 0x0f0f0f0f
        const upper = (load<u32>(uppers + (j << 2)) >> upperShift) & 0x03030303
        store<u32>(words + j * next, (low | (upper << 4)) + 0x60606060)
      }
      tile += 384
    }
    source += 210
  }
  return true
}
