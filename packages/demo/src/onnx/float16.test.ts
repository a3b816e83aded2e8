import { expect, test } from 'vitest'
import { float16Bits, float16Value } from './float16.ts'

test('every half-precision number is its own nearest', () => {
  for (let bits = 0; bits < 0x10000; bits++) {
    const value = float16Value(bits)
    if (Number.isNaN(value)) expect(Number.isNaN(float16Value(float16Bits(value)))).toBe(true)
    else expect(float16Bits(value)).toBe(bits)
  }
})

test('what lies between two numbers goes to the nearer, and halfway to the even one', () => {
  expect(float16Value(0x3555)).toBe(0.333251953125)
  expect(float16Bits(1 / 3)).toBe(0x3555)
  for (let bits = 0; bits < 0x7bff; bits++) {
    const [low, high] = [float16Value(bits), float16Value(bits + 1)]
    expect(float16Bits((low + high) / 2)).toBe(bits % 2 === 0 ? bits : bits + 1)
    expect(float16Bits(low + (high - low) * 0.49)).toBe(bits)
    expect(float16Bits(-(low + (high - low) * 0.51))).toBe(0x8000 | (bits + 1))
  }
  expect([65_519, 65_520, -1e30].map(float16Bits)).toEqual([0x7bff, 0x7c00, 0xfc00])
})
