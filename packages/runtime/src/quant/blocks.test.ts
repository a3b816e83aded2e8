import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ggmlTypeNames, ggmlTypes } from '../formats/ggml-types.ts'
import { blockFormats, decodePlanes, dequantise, planeLayout, promoteToQ8, repack } from './blocks.ts'
import { f16Table } from './f16.ts'
import fixtures from './fixtures/blocks.json' with { type: 'json' }
import type { Planes } from './planes.ts'

const bytesOf = (base64: string): Uint8Array => Uint8Array.from(Buffer.from(base64, 'base64'))
const fixtureOf = (type: keyof typeof fixtures) => ({
  blocks: bytesOf(fixtures[type].blocks),
  values: new Float32Array(bytesOf(fixtures[type].values).buffer as ArrayBuffer),
})

describe.each(ggmlTypeNames)('%s', (type) => {
  const { blocks, values } = fixtureOf(type)
  const { blockSize, blockBytes, plane } = blockFormats[type]

  it('decodes to what the gguf package says', () => {
    const singles = new Float32Array(values.length)
    dequantise(type, blocks, singles)
    expect(singles).toEqual(values)
    const doubles = new Float64Array(values.length)
    dequantise(type, blocks, doubles)
    expect(doubles).toEqual(Float64Array.from(values))
  })

  it('has the same values in planes', () => {
    const planes = repack(type, blocks)
    expect(planes.layout).toEqual(planeLayout(type))
    // Q4_0 writes d (q - 8) as d q - 8 d, which turns -0 into 0.
    const decoded = decodePlanes(planes, values.length)
    expect(decoded.map((value) => value + 0)).toEqual(values.map((value) => value + 0))
  })

  it('has the same values in planes for drawn blocks, repacked from any address and in pieces', () => {
    const drawn = fc.record({
      numBlocks: fc.integer({ min: 2, max: 5 }),
      shift: fc.nat(3),
      cut: fc.nat(),
      seed: fc.infiniteStream(fc.nat(255)),
    })
    fc.assert(
      fc.property(drawn, ({ numBlocks, shift, cut, seed }) => {
        // An even number of blocks before the cut: two F16 values share a word.
        const first = 2 * (cut % (numBlocks >> 1)) + (blockSize === 1 ? 0 : cut % 2)
        const bytes = new Uint8Array(numBlocks * blockBytes + shift).subarray(shift)
        for (let i = 0; i < bytes.length; i++) bytes[i] = seed.next().value! & 0xbb
        const whole = repack(type, bytes)
        const head = repack(type, bytes.subarray(0, first * blockBytes))
        const tail = repack(type, bytes.subarray(first * blockBytes))
        expect([...head.quants, ...tail.quants]).toEqual([...whole.quants])
        expect([...head.scales, ...tail.scales]).toEqual([...whole.scales])
        const expected = new Float32Array(numBlocks * blockSize)
        dequantise(type, bytes, expected)
        const decoded = decodePlanes(whole, expected.length)
        expect(decoded.map((value) => value + 0)).toEqual(expected.map((value) => value + 0))
      }),
      { numRuns: 30 },
    )
  })

  it('refuses a part of a block', () => {
    if (blockBytes > 1) expect(() => repack(type, blocks.subarray(0, -1))).toThrow('whole number')
    expect(() => dequantise(type, blocks, new Float32Array(1))).toThrow('do not fill')
  })

  const canPromote =
    plane.groupSize === 0 ? [] : ([16, 32] as const).filter((size) => size <= plane.groupSize)
  it.each([16, 32] as const)('becomes q8 in groups of %i, or says that it cannot', (groupSize) => {
    const planes: Planes = repack(type, blocks)
    if (!canPromote.includes(groupSize)) {
      expect(() => promoteToQ8(planes, groupSize)).toThrow('cannot become q8')
      return
    }
    const promoted = promoteToQ8(planes, groupSize)
    expect(promoted.layout).toEqual({ format: 'q8', groupSize, hasMin: true })
    const decoded = decodePlanes(promoted, values.length)
    expect(decoded.map((value) => value + 0)).toEqual(values.map((value) => value + 0))
  })
})

it('reads halves as Float16 arithmetic does', () => {
  const halves = f16Table()
  expect([0x3c00, 0xc000, 0x7bff, 0x0001, 0x03ff, 0x0400].map((bits) => halves[bits])).toEqual([
    1,
    -2,
    65504,
    2 ** -24,
    1023 * 2 ** -24,
    2 ** -14,
  ])
  expect([halves[0x7c00], halves[0xfc00], halves[0x7e00]]).toEqual([Infinity, -Infinity, Number.NaN])
})

it('knows the sizes of a block', () => {
  expect(Object.keys(ggmlTypes).sort()).toEqual(Object.keys(fixtures).sort())
})
