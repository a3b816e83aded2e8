import { expect, test } from 'vitest'
import { branchPlaces, newestEnd, pathTo, siblings } from './branches.ts'

/** a is followed by b and e; b by c and d. */
const tree = [
  { id: 'a', parent: null },
  { id: 'b', parent: 'a' },
  { id: 'c', parent: 'b' },
  { id: 'd', parent: 'b' },
  { id: 'e', parent: 'a' },
]
const ids = (messages: readonly { id: string }[]) => messages.map(({ id }) => id).join('')

test('a path leads from the beginning to its end, or to the newest message', () => {
  expect(ids(pathTo(tree, 'c'))).toBe('abc')
  expect(ids(pathTo(tree, undefined))).toBe('ae')
  expect(ids(pathTo(tree, 'gone'))).toBe('ae')
  expect(pathTo([], undefined)).toEqual([])
})

test('links in a circle come to an end', () => {
  const circle = [
    { id: 'x', parent: 'y' },
    { id: 'y', parent: 'x' },
  ]
  expect(ids(pathTo(circle, 'x'))).toBe('yx')
})

test('a branch is shown to its newest end', () => {
  expect(newestEnd(tree, 'b')).toBe('d')
  expect(newestEnd(tree, 'a')).toBe('e')
  expect(newestEnd(tree, 'c')).toBe('c')
})

test('siblings are counted, and only where there are any', () => {
  expect(ids(siblings(tree, 'd'))).toBe('cd')
  expect(siblings(tree, 'gone')).toEqual([])
  expect([...branchPlaces(tree, pathTo(tree, 'd'))]).toEqual([
    ['b', { place: 1, of: 2 }],
    ['d', { place: 2, of: 2 }],
  ])
})
