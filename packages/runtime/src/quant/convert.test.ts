import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { GgmlType } from '../formats/ggml-types.ts'
import { blockFormats, decodePlanes, planeLayout, repack } from './blocks.ts'
import { commonLayout, convertPlanes } from './convert.ts'
import type { Planes } from './planes.ts'

const types = Object.keys(blockFormats) as GgmlType[]

/** 256 values of any type: finite scales, everything else random. */
function randomBytes(type: GgmlType, seed: number): Uint8Array {
  const { blockSize, blockBytes } = blockFormats[type]
  const bytes = new Uint8Array((256 / blockSize) * blockBytes)
  let state = seed >>> 0
  for (let i = 0; i < bytes.length; i++) {
    state = (state * 1_664_525 + 1_013_904_223) >>> 0
    // Bytes below 0x70 are never an f16, bf16 or f32 infinity or NaN.
    bytes[i] = state % 0x70
  }
  return bytes
}

/** -0 counts as 0: adding a minimum of 0 may turn one into the other. */
const valuesOf = (planes: Planes) => Array.from(decodePlanes(planes, 256), (value) => value + 0)

test('any two types share a layout that holds the values of both exactly', () => {
  const type = fc.constantFrom(...types)
  fc.assert(
    fc.property(type, type, fc.integer(), (one, other, seed) => {
      const target = commonLayout([planeLayout(one), planeLayout(other)])
      for (const each of [one, other]) {
        const planes = repack(each, randomBytes(each, seed))
        const converted = convertPlanes(planes, target, 256)
        expect(converted.layout).toEqual(target)
        expect(valuesOf(converted)).toEqual(valuesOf(planes))
      }
    }),
    { numRuns: 300 },
  )
})

test('matrices of one layout keep it', () => {
  expect(commonLayout([planeLayout('Q4_0'), planeLayout('Q4_K')])).toEqual(planeLayout('Q4_1'))
})
