import { expect, test } from 'vitest'
import { formatPercent, heatOf, likeliestOf, visibleText } from './heat.ts'

test.each([
  [1, 0, '100 %'],
  [0.99995, 0, '> 99.9 %'],
  [0.9, 0, '90 %'],
  [0.8999, 1, '90 %'],
  [0.5, 1, '50 %'],
  [0.2, 2, '20 %'],
  [0.0731, 3, '7.3 %'],
  [0.0004, 4, '< 0.1 %'],
  [0, 4, '< 0.1 %'],
])('a chance of %d is of heat %d and reads %s', (probability, heat, text) => {
  expect(heatOf(probability)).toBe(heat)
  expect(formatPercent(probability)).toBe(text)
})

test('the token itself is among the likeliest, once', () => {
  expect(likeliestOf(['a', 0.6, 'a', 0.6, 'b', 0.3])).toEqual([
    { text: 'a', probability: 0.6, isChosen: true },
    { text: 'b', probability: 0.3, isChosen: false },
  ])
  expect(likeliestOf(['c', 0.01, 'a', 0.6, 'b', 0.3]).at(-1)).toEqual({
    text: 'c',
    probability: 0.01,
    isChosen: true,
  })
  const halves = likeliestOf(['', 0.4, '\ufffd', 0.4, '\ufffd', 0.4])
  expect(halves.map(({ isChosen }) => isChosen)).toEqual([true, false])
})

test('white space can be seen', () => {
  expect(visibleText('\n\n')).toBe('↵\n↵\n')
  expect(visibleText('')).toBe('◌')
})
