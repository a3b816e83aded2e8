import { expect, test } from 'vitest'
import { rankEntries, splitEntries } from './ranking.ts'

test('lines and paragraphs of a text are its entries, each once, without what is empty', () => {
  const text = ' One.\r\nTwo.\n\n \t\nThree\nand a half.\rOne.\n'
  expect(splitEntries(text, 'line')).toEqual(['One.', 'Two.', 'Three', 'and a half.'])
  expect(splitEntries(text, 'paragraph')).toEqual(['One. Two.', 'Three and a half. One.'])
  expect(splitEntries(' \n\n ', 'paragraph')).toEqual([])
  expect(splitEntries('', 'line')).toEqual([])
  expect(splitEntries('a\r\n\r\nb', 'paragraph')).toEqual(['a', 'b'])
})

test('a long text with nothing but breaks is split at once', () => {
  const start = performance.now()
  expect(splitEntries('\n \n'.repeat(100_000), 'paragraph')).toEqual([])
  expect(splitEntries(`${' '.repeat(200_000)}x`, 'paragraph')).toEqual(['x'])
  expect(performance.now() - start).toBeLessThan(10_000)
})

test('entries come by cosine, nearest first, and equals as they stand in the text', () => {
  const vectors = [
    [0, 1],
    [3, 4],
    [-1, 0],
    [5, 0],
    [0, 0],
    [0, 2],
  ].map((vector) => Float32Array.from(vector))
  const ranked = rankEntries(
    Float32Array.of(2, 0),
    ['up', 'both', 'back', 'along', 'none', 'far up'],
    vectors,
  )
  expect(ranked.map(({ text }) => text)).toEqual(['along', 'both', 'up', 'none', 'far up', 'back'])
  expect(ranked.map(({ score }) => Number(score.toFixed(4)))).toEqual([1, 0.6, 0, 0, 0, -1])
  expect(ranked[0]!.index).toBe(3)
})
