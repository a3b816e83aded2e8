import { expect, test } from 'vitest'
import { unroll } from './unroll.ts'

test('repeats the body with the index in it, and loops nest', () => {
  const code = [
    'before',
    '  //! for h < heads',
    'a#h',
    '//! for d < quads',
    'b#h_#d',
    '//! end',
    '//! end',
    'after',
  ]
  expect(unroll(code.join('\n'), { heads: 2, quads: 2 }).split('\n')).toEqual([
    'before',
    ...['a0', 'b0_0', 'b0_1'],
    ...['a1', 'b1_0', 'b1_1'],
    'after',
  ])
})

test('a loop without a count or an end is a mistake', () => {
  expect(() => unroll('//! for h < heads\n//! end', {})).toThrow('no count')
  expect(() => unroll('//! for h < heads\na#h', { heads: 1 })).toThrow('does not end')
})
