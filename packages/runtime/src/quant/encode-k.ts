import { asF16, type EncodeBlock, writeF16 } from './block-format.ts'
import {
  fitLine,
  fitScale,
  type Line,
  type LineFormat,
  lineError,
  nearest,
  plainLine,
  scaleError,
  type Values,
} from './fit.ts'

/** Scale and minimum are stored as multiples from 0 up: the line rises, and begins at 0 or below. */
const q4KLine: LineFormat = {
  most: 15,
  maxOffset: 0,
  stored: ({ scale, offset }) => ({ scale: Math.max(0, scale), offset: Math.min(0, offset) }),
}

/** 8 groups of 32, each a line whose scale and minimum have six bits. See `q4_k` of k-blocks.ts for the layout. */
export const encodeQ4K: EncodeBlock = (values, start, bytes, at) => {
  const linesBy = (fit: typeof fitLine) =>
    Array.from({ length: 8 }, (_, group) => fit(values, start + 32 * group, 32, q4KLine))
  // What is best for each group need not be for all: the super-block's scales are rounded too.
  const { d, dmin, groups } = better(
    superBlockK4(values, start, linesBy(fitLine)),
    superBlockK4(values, start, linesBy(plainLine)),
  )
  writeF16(bytes, at, d)
  writeF16(bytes, at + 2, dmin)
  for (const [group, { scaleBits, minBits }] of groups.entries()) {
    writeScalesK4(bytes, at + 4, group, scaleBits, minBits)
    const from = start + 32 * group
    const scale = d * scaleBits
    const offset = -dmin * minBits
    const inverse = scale === 0 ? 0 : 1 / scale
    const nibbles = at + 16 + (group >> 1) * 32
    for (let i = 0; i < 32; i++) {
      const q = nearest((values[from + i]! - offset) * inverse, 0, 15)
      bytes[nibbles + i]! |= group & 1 ? q << 4 : q
    }
  }
}

const better = <T extends { readonly error: number }>(a: T, b: T): T => (b.error < a.error ? b : a)

function superBlockK4(values: Values, start: number, lines: readonly Line[]) {
  const d = asF16(Math.max(...lines.map(({ scale }) => scale)) / 63)
  const dmin = asF16(Math.max(...lines.map(({ offset }) => -offset)) / 63)
  const groups = lines.map((line, group) => nearestLine(values, start + 32 * group, line, d, dmin))
  return { d, dmin, groups, error: groups.reduce((sum, { error }) => sum + error, 0) }
}

/** The six-bit scale and minimum with the smallest error, among those next to the ones wanted. */
function nearestLine(values: Values, from: number, { scale, offset }: Line, d: number, dmin: number) {
  let best = { scaleBits: 0, minBits: 0, error: Number.POSITIVE_INFINITY }
  for (const scaleBits of neighbours(d === 0 ? 0 : scale / d, 0, 63)) {
    for (const minBits of neighbours(dmin === 0 ? 0 : -offset / dmin, 0, 63)) {
      const error = lineError(values, from, 32, 15, { scale: d * scaleBits, offset: -dmin * minBits })
      best = better(best, { scaleBits, minBits, error })
    }
  }
  return best
}

const neighbours = (value: number, least: number, most: number): Set<number> =>
  new Set([-1, 0, 1].map((step) => nearest(Math.round(value) + step, least, most)))

/** The inverse of `scaleK4` and `minK4`: the upper two bits of groups 4 to 7 lie above those of groups 0 to 3. */
function writeScalesK4(bytes: Uint8Array, at: number, group: number, scale: number, min: number): void {
  if (group < 4) {
    bytes[at + group]! |= scale
    bytes[at + group + 4]! |= min
  } else {
    bytes[at + group + 4]! |= (scale & 15) | ((min & 15) << 4)
    bytes[at + group - 4]! |= (scale >> 4) << 6
    bytes[at + group]! |= (min >> 4) << 6
  }
}

/** 16 groups of 16 with signed eight-bit scales. See `q6_k` of k-blocks.ts for the layout. */
export const encodeQ6K: EncodeBlock = (values, start, bytes, at) => {
  const fitted = Array.from({ length: 16 }, (_, group) =>
    fitScale(values, start + 16 * group, 16, 31, (scale) => scale),
  )
  const plain = fitted.map((_, group) => extremeOf(values, start + 16 * group, 16) / -32)
  const { d, groups } = better(superBlockK6(values, start, fitted), superBlockK6(values, start, plain))
  writeF16(bytes, at + 208, d)
  for (const [group, { bits }] of groups.entries()) {
    bytes[at + 192 + group] = bits
    const inverse = d * bits === 0 ? 0 : 1 / (d * bits)
    for (let i = 0; i < 16; i++) {
      const q = nearest(values[start + 16 * group + i]! * inverse, -32, 31)
      writeQ6(bytes, at, 16 * group + i, q + 32)
    }
  }
}

function superBlockK6(values: Values, start: number, scales: readonly number[]) {
  const d = asF16(extremeOf(scales, 0, scales.length) / -128)
  const groups = scales.map((scale, group) => {
    let best = { bits: 0, error: Number.POSITIVE_INFINITY }
    for (const bits of neighbours(d === 0 ? 0 : scale / d, -128, 127)) {
      const error = scaleError(values, start + 16 * group, 16, -32, 31, d * bits)
      best = better(best, { bits, error })
    }
    return best
  })
  return { d, groups, error: groups.reduce((sum, { error }) => sum + error, 0) }
}

/** The value farthest from 0. */
function extremeOf(values: Values | readonly number[], start: number, count: number): number {
  let extreme = 0
  for (let i = start; i < start + count; i++) {
    if (Math.abs(values[i]!) > Math.abs(extreme)) extreme = values[i]!
  }
  return extreme
}

/** The inverse of `q6Value`: four bits among 128 nibbles, two among 64 bytes of four. */
function writeQ6(bytes: Uint8Array, at: number, i: number, q: number): void {
  const half = i >> 7
  bytes[at + half * 64 + (i & 63)]! |= (q & 15) << (4 * ((i >> 6) & 1))
  bytes[at + 128 + half * 32 + (i & 31)]! |= (q >> 4) << (2 * ((i >> 5) & 3))
}
