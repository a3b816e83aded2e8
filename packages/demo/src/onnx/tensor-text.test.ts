import { expect, test } from 'vitest'
import { describeTensor, formatTaken, formatValue } from './tensor-text.ts'

test('a tensor shows its first values, how many more there are, and their range', () => {
  const data = Float32Array.from({ length: 100 }, (_, at) => at / 4)
  expect(describeTensor({ type: 'float32', dims: [100], data })).toEqual({
    first: '0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.25, 2.5, 2.75',
    rest: 88,
    range: { min: '0', max: '24.75', mean: '12.375' },
  })
})

test('halves are decoded, whole numbers keep every digit, and text is quoted', () => {
  expect(describeTensor({ type: 'float16', dims: [], data: Uint16Array.of(0xc100) }).first).toBe('-2.5')
  const data = BigInt64Array.of(9007199254740993n)
  expect(describeTensor({ type: 'int64', dims: [1], data }).first).toBe('9007199254740993')
  expect(describeTensor({ type: 'string', dims: [2], data: ['a, b', ''] })).toEqual({
    first: '"a, b", ""',
    rest: 0,
  })
})

test('what is not a number is seen', () => {
  const { first, range } = describeTensor({
    type: 'float32',
    dims: [2],
    data: Float32Array.of(Number.NaN, 1),
  })
  expect(first).toBe('NaN, 1')
  expect(range?.mean).toBe('NaN')
})

test('figures are short', () => {
  expect([1 / 3, 123_456, 1.5e-9].map(formatValue)).toEqual(['0.33333', '123456', '1.5e-9'])
  expect([0.52, 8.04, 312.4, 1240].map(formatTaken)).toEqual(['0.5 ms', '8.0 ms', '312 ms', '1.24 s'])
})
