import { expect, test } from 'vitest'
import { keptVersions } from './versions.ts'

const first = ['a1.js', 'shared.js']
const second = ['a2.js', 'shared.js']
const third = ['a3.js', 'shared.js']

test('an older version stays as long as a page of it is open', () => {
  expect(keptVersions([first, second], second, ['a1.js', 'a2.js'])).toEqual([first, second])
  expect(keptVersions([first, second], second, ['a2.js'])).toEqual([second])
  expect(keptVersions([first, second, third], third, ['a1.js'])).toEqual([first, third])
})

test('a version that waits to take over, or is being installed, stays', () => {
  expect(keptVersions([first, second], first, ['a1.js'])).toEqual([first, second])
  expect(keptVersions([first, second, third], second, [])).toEqual([second, third])
})

test('what is not known to be cached is written down as the version that answers', () => {
  expect(keptVersions([], first, [])).toEqual([first])
  expect(keptVersions([second], first, [])).toEqual([first, second])
})

test('a script that older versions share with this one keeps none of them', () => {
  expect(keptVersions([first, second], second, ['shared.js'])).toEqual([second])
})
