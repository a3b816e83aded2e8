import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { ggmlTypes } from '../formats/ggml-types.ts'
import { blockFormats, dequantise } from './blocks.ts'
import { type EncodableType, encodableTypes, quantise } from './encode.ts'
import { f16FromNumber, f16ToNumber } from './f16.ts'
import fixtures from './fixtures/encoded.json' with { type: 'json' }

const floatsOf = (base64: string): Float32Array =>
  new Float32Array(Uint8Array.from(Buffer.from(base64, 'base64')).buffer)
const samples = floatsOf(fixtures.values)

function roundTrip(type: EncodableType, values: Float32Array | Float64Array): Float64Array {
  const decoded = new Float64Array(values.length)
  dequantise(type, quantise(type, values), decoded)
  return decoded
}

const squaredError = (
  decoded: ArrayLike<number>,
  values: ArrayLike<number>,
  start = 0,
  count = values.length,
) =>
  Array.from({ length: count }, (_, i) => (decoded[start + i]! - values[start + i]!) ** 2).reduce(
    (sum, square) => sum + square,
    0,
  )

const half = (value: number) => f16ToNumber(f16FromNumber(value))
const clamp = (value: number, least: number, most: number) =>
  Math.min(most, Math.max(least, Math.round(value)))
const over = (value: number, scale: number) => (scale === 0 ? 0 : value / scale)

/** The plain way: the scale is what the largest value, or the range, rules. */
const naive: Record<EncodableType, (values: readonly number[]) => number[]> = {
  Q8_0: (values) => {
    const scale = half(Math.max(...values.map(Math.abs)) / 127)
    return values.map((value) => scale * clamp(over(value, scale), -127, 127))
  },
  Q4_0: (values) => {
    const extreme = values.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0)
    const scale = half(extreme / -8)
    return values.map((value) => scale * clamp(over(value, scale), -8, 7))
  },
  Q4_1: (values) => {
    const least = Math.min(...values)
    const offset = half(least)
    const scale = half((Math.max(...values) - least) / 15)
    return values.map((value) => offset + scale * clamp(over(value - offset, scale), 0, 15))
  },
  Q4_K: (values) => {
    const groups = Array.from({ length: 8 }, (_, i) => values.slice(32 * i, 32 * i + 32))
    const mins = groups.map((group) => Math.max(0, -Math.min(...group)))
    const scales = groups.map((group, i) => Math.max(0, Math.max(...group) + mins[i]!) / 15)
    const d = half(Math.max(...scales) / 63)
    const dmin = half(Math.max(...mins) / 63)
    return groups.flatMap((group, i) => {
      const scale = d * clamp(over(scales[i]!, d), 0, 63)
      const min = dmin * clamp(over(mins[i]!, dmin), 0, 63)
      return group.map((value) => scale * clamp(over(value + min, scale), 0, 15) - min)
    })
  },
  Q6_K: (values) => {
    const groups = Array.from({ length: 16 }, (_, i) => values.slice(16 * i, 16 * i + 16))
    const scales = groups.map(
      (group) => group.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0) / -32,
    )
    const d = half(
      scales.reduce((most, scale) => (Math.abs(scale) > Math.abs(most) ? scale : most), 0) / -128,
    )
    return groups.flatMap((group, i) => {
      const scale = d * clamp(over(scales[i]!, d), -128, 127)
      return group.map((value) => scale * clamp(over(value, scale), -32, 31))
    })
  },
}

/** How far a value can be from the plain way's: half a step, a step at the end that has one less, and what halves lose. */
const steps: Record<EncodableType, number> = { Q8_0: 127 * 2, Q4_0: 8, Q4_1: 15, Q4_K: 15, Q6_K: 32 }

const drawnBlocks = (type: EncodableType) =>
  fc
    .record({
      values: fc.array(fc.float({ min: -4, max: 4, noNaN: true }), { minLength: 256, maxLength: 256 }),
      exponent: fc.integer({ min: -6, max: 8 }),
      shift: fc.constantFrom(0, 0, 3, -5),
    })
    .map(({ values, exponent, shift }) =>
      Float32Array.from(
        values.slice(0, ggmlTypes[type].blockSize),
        (value) => (value + shift) * 2 ** exponent,
      ),
    )

describe.each(encodableTypes)('%s', (type) => {
  const { blockSize, blockBytes } = blockFormats[type]
  const fixture = fixtures.types[type]

  it('is blocks that the gguf package decodes to the same values', () => {
    const blocks = quantise(type, samples)
    expect(Buffer.from(blocks).toString('base64')).toBe(fixture.blocks)
    expect(blocks).toHaveLength((samples.length / blockSize) * blockBytes)
    const decoded = new Float32Array(samples.length)
    dequantise(type, blocks, decoded)
    expect(decoded).toEqual(floatsOf(fixture.decoded))
  })

  it('is at least as near as the gguf package’s own quantiser, where it has one', () => {
    const theirs = 'ggufErrors' in fixture ? fixture.ggufErrors : []
    const decoded = roundTrip(type, samples)
    for (const [row, error] of theirs.entries()) {
      const ours = Math.sqrt(squaredError(decoded, samples, row * 256, 256) / 256)
      expect(ours, `row ${row}`).toBeLessThanOrEqual(error * 1.0001 + 1e-12)
    }
    expect(theirs.length).toBe(type.endsWith('_K') ? 0 : 8)
  })

  it('is at least as near as plain rounding, and within the format’s bound', () => {
    fc.assert(
      fc.property(drawnBlocks(type), (values) => {
        const decoded = roundTrip(type, values)
        const plain = naive[type]([...values])
        const error = squaredError(decoded, values)
        const range = Math.max(0, ...values) - Math.min(0, ...values)
        const rounding = blockSize * (range * 1e-6) ** 2
        // Six-bit scales of a super-block are searched one by one, and a neighbour may serve the whole better.
        expect(error).toBeLessThanOrEqual(squaredError(plain, values) * 1.000001 + rounding)
        // Scales are halves, whose least step a q multiplies; those of super-blocks are multiples of one.
        const [rounded, least] = type.endsWith('_K') ? [1 / 40, 4096] : [1 / 1000, 127]
        const bound = range * (1 / steps[type] + rounded) + least * 2 ** -25
        expect(Math.sqrt(error / blockSize)).toBeLessThanOrEqual(bound)
      }),
      { numRuns: 200 },
    )
  })

  it('keeps zeros, and nearly keeps one value again and again', () => {
    expect(roundTrip(type, new Float32Array(512)).every((value) => value === 0)).toBe(true)
    for (const value of [1, -1, 0.37, -0.2]) {
      for (const decoded of roundTrip(type, new Float32Array(256).fill(value))) {
        expect(Math.abs(decoded / value - 1)).toBeLessThan(0.01)
      }
    }
  })

  it('takes the smallest and the largest weights there are', () => {
    for (const size of [1e-30, 1e-9, 1e5]) {
      const values = Float32Array.from({ length: 256 }, (_, i) => size * Math.sin(i))
      const decoded = roundTrip(type, values)
      expect(decoded.every((value) => Math.abs(value) <= size * 1.2)).toBe(true)
    }
  })

  it('refuses part of a block, and what is no number', () => {
    expect(() => quantise(type, new Float32Array(blockSize + 1))).toThrow(/whole number/)
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const values = new Float32Array(blockSize)
      values[7] = value
      expect(() => quantise(type, values)).toThrow(/not a finite number/)
    }
  })
})

describe('f16FromNumber', () => {
  test('gives every finite half back', () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      if ((bits & 0x7c00) === 0x7c00 || bits === 0x8000) continue
      if (f16FromNumber(f16ToNumber(bits)) !== bits) throw new Error(`${bits.toString(16)} is not kept`)
    }
  })

  test('rounds to the nearest, and between two to the even one', () => {
    for (let bits = 0; bits < 0x7bff; bits++) {
      const [low, high] = [f16ToNumber(bits), f16ToNumber(bits + 1)]
      const middle = (low + high) / 2
      const even = bits % 2 === 0 ? bits : bits + 1
      if (f16FromNumber(middle) !== even) throw new Error(`between ${low} and ${high}`)
      if (f16FromNumber(middle - (high - low) / 8) !== bits) throw new Error(`above ${low}`)
      if (f16FromNumber(-middle - (high - low) / 8) !== (0x8000 | (bits + 1)))
        throw new Error(`below ${high}`)
    }
  })

  test('knows no infinity', () => {
    expect(f16ToNumber(f16FromNumber(1e9))).toBe(65504)
    expect(f16ToNumber(f16FromNumber(-1e9))).toBe(-65504)
  })
})
