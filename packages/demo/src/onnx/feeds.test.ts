import type { TensorType, ValueInfo } from '@brasa/runtime'
import { expect, test } from 'vitest'
import { type Fill, fillsOf, makeFeeds } from './feeds.ts'
import { formatShape, freeDimensions, resolveDims } from './shapes.ts'

const input = (type: TensorType, dims: ValueInfo['dims'] = [2, 2]): ValueInfo => ({ name: 'x', type, dims })

function feed(info: ValueInfo, fill: Fill, typed = '', sizes: Record<string, string> = {}) {
  return makeFeeds([info], { x: { fill, typed } }, sizes, () => 0.999).x!
}

test('sizes that a model leaves open are asked for once, whichever inputs have them', () => {
  const inputs: ValueInfo[] = [
    { name: 'ids', type: 'int64', dims: ['batch', 'tokens'] },
    { name: 'mask', type: 'int64', dims: ['batch', 'tokens'] },
    { name: 'image', type: 'float32', dims: [null, 3, null] },
  ]
  expect(freeDimensions(inputs)).toEqual([
    { key: 'batch', initial: 1 },
    { key: 'tokens', initial: 8 },
    { key: 'image[0]', initial: 1 },
    { key: 'image[2]', initial: 8 },
  ])
  expect(resolveDims(inputs[2]!, { 'image[0]': '1', 'image[2]': ' 5 ' })).toEqual([1, 3, 5])
  for (const size of ['', '1.5', '-1', 'many', '1e3']) {
    expect(() => resolveDims(inputs[0]!, { batch: size, tokens: '2' })).toThrow(/"batch" is .*whole number/)
  }
})

test('a shape reads as the model has it', () => {
  expect(formatShape(['batch', 3, null])).toBe('[batch, 3, ?]')
  expect(formatShape([])).toBe('scalar')
})

test('a fill makes as many elements as the shape has, in the type of the input', () => {
  expect(feed(input('float32', ['n', 3]), 'ones', '', { n: '2' })).toEqual({
    type: 'float32',
    dims: [2, 3],
    data: Float32Array.of(1, 1, 1, 1, 1, 1),
  })
  expect(feed(input('int64'), 'random').data).toEqual(BigInt64Array.of(9n, 9n, 9n, 9n))
  expect(feed(input('bool'), 'random').data).toEqual(Uint8Array.of(1, 1, 1, 1))
  expect(feed(input('float16'), 'ones').data).toEqual(Uint16Array.of(0x3c00, 0x3c00, 0x3c00, 0x3c00))
  expect(feed(input('uint8', []), 'zeros')).toEqual({ type: 'uint8', dims: [], data: Uint8Array.of(0) })
  expect(feed(input('float32', [0, 4]), 'zeros').data).toEqual(new Float32Array())
})

test('typed numbers may stand between commas, spaces and brackets, and one alone fills the tensor', () => {
  expect(feed(input('float32'), 'typed', '[[1, -0.5], [2e1 3]]').data).toEqual(
    Float32Array.of(1, -0.5, 20, 3),
  )
  expect(feed(input('int32'), 'typed', ' 7 ').data).toEqual(Int32Array.of(7, 7, 7, 7))
  expect(feed(input('bool'), 'typed', 'true, false, 1, 0').data).toEqual(Uint8Array.of(1, 0, 1, 0))
  // Past what a double holds.
  expect(feed(input('int64', [1]), 'typed', '9007199254740993').data).toEqual(
    BigInt64Array.of(9007199254740993n),
  )
  expect(feed(input('string', [2]), 'typed', 'one text, another').data).toEqual(['one text', 'another'])
})

test('what cannot be meant is said, with the name of the input', () => {
  expect(() => feed(input('float32'), 'typed', '1, 2, 3')).toThrow(
    '"x" takes 4 values, or one for all; 3 are typed.',
  )
  expect(() => feed(input('float32'), 'typed', '')).toThrow('0 are typed')
  expect(() => feed(input('float32'), 'typed', '1, 2, warm, 4')).toThrow('"warm" is not a number')
  expect(() => feed(input('int32'), 'typed', '1.5')).toThrow('"1.5" does not fit')
  expect(() => feed(input('uint8'), 'typed', '256')).toThrow('from 0 to 255')
  expect(() => feed(input('bool'), 'typed', '2')).toThrow('neither 0 nor 1')
  expect(() => feed(input('float32', ['n']), 'zeros', '', { n: '99999999' })).toThrow(
    '99,999,999 elements, more than this page makes',
  )
})

test('text has no zeros or ones to be filled with', () => {
  expect(fillsOf('string')).toEqual(['typed'])
  expect(fillsOf('float32')).toHaveLength(4)
})
