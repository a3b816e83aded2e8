import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type GgmlType, ggmlTypeNames, ggmlTypes } from '../../formats/ggml-types.ts'
import { commonLayout, deviceLayouts, planeBytes } from './device-planes.ts'

const fileBits = (type: GgmlType) => (8 * ggmlTypes[type].blockBytes) / ggmlTypes[type].blockSize

const deviceBits = (type: GgmlType) => {
  const { quants, scales } = planeBytes(deviceLayouts[type], 3, 2048)
  return (8 * (quants + scales)) / (3 * 2048)
}

const inOwnWidth = ['Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0', 'Q4_K', 'Q5_K', 'Q6_K', 'F16', 'F32'] as const

test('bits a weight on the device and in the file', () => {
  const bits = Object.fromEntries(ggmlTypeNames.map((type) => [type, deviceBits(type)]))
  expect(bits).toMatchObject({ Q4_0: 4.5, Q4_1: 5, Q5_0: 5.5, Q5_1: 6, Q8_0: 8.5 })
  expect(bits).toMatchObject({ Q4_K: 4.5, Q5_K: 5.5, Q6_K: 6.625 })
  for (const type of inOwnWidth) expect(bits[type]! / fileBits(type), type).toBeLessThan(1.05)
})

test('two types have one layout, whichever comes first', () => {
  const types = ggmlTypeNames.filter((type) => deviceLayouts[type].groupSize !== 0)
  fc.assert(
    fc.property(fc.constantFrom(...types), fc.constantFrom(...types), (one, other) => {
      expect(commonLayout([one, other])).toEqual(commonLayout([other, one]))
    }),
  )
  // The halves of both, instead of f32 and a minimum: 8.5 bits a weight, not 10.
  expect(commonLayout(['Q5_0', 'Q8_0'])).toEqual(deviceLayouts.Q8_0)
  expect(commonLayout(['Q4_K', 'Q5_K'])).toEqual(deviceLayouts.Q5_K)
})
