import { expect, it } from 'vitest'
import { sharedArrays } from './shared-arrays.ts'

const open = (data: Float32Array, row: number, columns: number): number[] =>
  [...data.subarray(row * columns, (row + 1) * columns)].flatMap((value, slot) => (value === 0 ? [slot] : []))

function masksOf(window: number, span: { capacity: number; start: number }, first: number, numRows: number) {
  const masks = [{ past: 'past', fresh: 'fresh', window, group: 2 }]
  const { past, fresh } = sharedArrays(
    { ropes: [], masks },
    { spans: new Map([[window, span]]) },
    first,
    numRows,
  )
  return { past: past!, fresh: fresh! }
}

it('opens what is held to every row alike where there is no window', () => {
  const { past, fresh } = masksOf(Infinity, { capacity: 8, start: 0 }, 5, 3)
  expect(past.dims).toEqual([1, 1, 8])
  expect(open(past.data, 0, 8)).toEqual([0, 1, 2, 3, 4])
  expect(fresh.dims).toEqual([1, 6, 3])
  expect([0, 1, 2, 3, 4, 5].map((row) => open(fresh.data, row, 3))).toEqual([
    [0],
    [0, 1],
    [0, 1, 2],
    [0],
    [0, 1],
    [0, 1, 2],
  ])
})

it('gives each row of a chunk its own window, in a ring', () => {
  // Positions 6 to 13 lie at 6, 7, 0, 1, 2, 3, 4, 5; rows 14 to 16 read four each, themselves among them.
  const { past, fresh } = masksOf(4, { capacity: 8, start: 6 }, 14, 3)
  expect(past.dims).toEqual([1, 6, 8])
  const rows = [[3, 4, 5], [4, 5], [5]]
  expect([0, 1, 2, 3, 4, 5].map((row) => open(past.data, row, 8))).toEqual([...rows, ...rows])
  expect(open(fresh.data, 2, 3)).toEqual([0, 1, 2])
})

it('closes what was rolled back, and what a short window leaves behind within the chunk', () => {
  // Held to 20 once, cut to 15: 12 to 14 are in the window of 15.
  const { past, fresh } = masksOf(4, { capacity: 8, start: 12 }, 15, 6)
  expect(open(past.data, 0, 8)).toEqual([4, 5, 6])
  expect(open(past.data, 3, 8)).toEqual([])
  expect(open(fresh.data, 5, 6)).toEqual([2, 3, 4, 5])
})
