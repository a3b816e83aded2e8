import { expect, test } from 'vitest'
import { formatBytes, formatBytesOf, formatMeasured, formatRate, formatWait } from './units.ts'

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [98_362_432, '98 MB'],
  [4_200_000, '4.2 MB'],
  [9_960_000, '10 MB'],
  [999_600_000, '1.0 GB'],
  [1_234_000_000_000, '1.2 TB'],
])('%d bytes read as %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text)
})

test('a part of a whole is told in the unit of the whole and never rounds up to it', () => {
  expect(formatBytesOf(62_900_000, 98_362_432)).toBe('62 of 98 MB')
  expect(formatBytesOf(98_362_431, 98_362_432)).toBe('98 of 98 MB')
  expect(formatBytesOf(300_000, 4_200_000)).toBe('0.3 of 4.2 MB')
})

test.each([
  [0.2, '1 s'],
  [59.4, '59 s'],
  [60, '1 min'],
  [125, '2 min 5 s'],
  [4320, '1 h 12 min'],
])('a wait of %d s reads as %s', (seconds, text) => {
  expect(formatWait(seconds)).toBe(text)
})

test('measured times and rates keep the digits that were measured', () => {
  expect(formatMeasured(312)).toBe('0.31 s')
  expect(formatMeasured(12_440)).toBe('12.4 s')
  expect(formatRate(6.34)).toBe('6.3 tokens/s')
  expect(formatRate(1234.4)).toBe('1,234 tokens/s')
})
