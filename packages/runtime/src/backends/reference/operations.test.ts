import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  applyRope,
  attention,
  embed,
  geluTanh,
  geluTanhMul,
  logSoftmax,
  matmul,
  rmsNorm,
  silu,
  siluMul,
  softCapped,
  softmax,
} from './operations.ts'
import { randomNumbers } from './tiny-model.ts'

const randomArray = (length: number, seed: number): Float64Array => {
  const random = randomNumbers(seed)
  return Float64Array.from({ length }, () => random() * 2 - 1)
}

const expectClose = (actual: ArrayLike<number>, expected: ArrayLike<number>) => {
  expect(actual.length).toBe(expected.length)
  for (let i = 0; i < expected.length; i++) expect(actual[i]).toBeCloseTo(expected[i]!, 12)
}

describe('matmul', () => {
  it('is the sum of products, for any shape', () => {
    const size = fc.integer({ min: 1, max: 11 })
    fc.assert(
      fc.property(size, size, size, fc.boolean(), (numRows, outputSize, inputSize, single) => {
        const x = randomArray(numRows * inputSize, 1)
        const weights = Float32Array.from(randomArray(outputSize * inputSize, 2))
        const expected = Float64Array.from({ length: numRows * outputSize }, (_, at) => {
          const row = Math.floor(at / outputSize)
          let sum = 0
          for (let i = 0; i < inputSize; i++)
            sum += weights[(at % outputSize) * inputSize + i]! * x[row * inputSize + i]!
          return sum
        })
        const actual = matmul(weights, single ? Float32Array.from(x) : x, numRows, outputSize, inputSize)
        for (let i = 0; i < expected.length; i++) expect(actual[i]).toBeCloseTo(expected[i]!, single ? 5 : 12)
      }),
    )
  })
})

describe('rmsNorm', () => {
  it('divides each row by its root mean square', () => {
    const y = rmsNorm(Float64Array.of(3, 4, 0, 5), Float64Array.of(1, 2), 0, 2, 2)
    expectClose(y, [3 / Math.sqrt(12.5), 8 / Math.sqrt(12.5), 0, 10 / Math.sqrt(12.5)])
  })

  it('adds epsilon to the mean square', () => {
    expectClose(rmsNorm(Float64Array.of(0, 0, 2), Float64Array.of(1, 1, 1), 1, 1, 3), [
      0,
      0,
      2 / Math.sqrt(4 / 3 + 1),
    ])
  })
})

describe('applyRope', () => {
  it('turns neighbouring components', () => {
    const x = Float64Array.of(1, 0, 0, 1, 7, 8)
    applyRope(x, 2, Float64Array.of(Math.PI / 4, Math.PI / 2), 6, 4)
    expectClose(x, [0, 1, 0, -1, 7, 8])
  })

  it('turns components half a rotation apart, and leaves the rest of each head', () => {
    const x = Float64Array.of(1, 0, 0, 1, 7, 8, 0, 2, 1, 0, 7, 8)
    applyRope(x, 2, Float64Array.of(Math.PI / 4, Math.PI / 2), 6, 4, 'half')
    expectClose(x, [0, 0, 1, -1, 7, 8, -1, -2, 0, 0, 7, 8])
  })

  it('stretches what it turns', () => {
    const x = Float64Array.of(1, 0, 7)
    applyRope(x, 2, Float64Array.of(Math.PI / 4), 3, 2, 'adjacent', 1.5)
    expectClose(x, [0, 1.5, 7])
  })

  it('leaves products of two heads a function of their distance', () => {
    const frequencies = Float64Array.of(1, 0.3, 0.01)
    const product = (queryPosition: number, keyPosition: number) => {
      const query = randomArray(6, 3)
      const key = randomArray(6, 4)
      applyRope(query, queryPosition, frequencies, 6, 6)
      applyRope(key, keyPosition, frequencies, 6, 6)
      return query.reduce((sum, value, i) => sum + value * key[i]!, 0)
    }
    expect(product(9, 4)).toBeCloseTo(product(105, 100), 12)
    expect(product(9, 4)).not.toBeCloseTo(product(9, 5), 3)
  })
})

describe('attention', () => {
  const shape = { numRows: 3, firstPosition: 2, numHeads: 4, numKvHeads: 2, headDim: 3, scale: 0.5 }
  const kvSize = 6
  const queries = randomArray(3 * 12, 5)
  const keys = randomArray(5 * kvSize, 6)
  const values = randomArray(5 * kvSize, 7)

  it('is the softmax-weighted mean of the values so far', () => {
    const actual = attention(queries, keys, values, shape)
    for (let row = 0; row < 3; row++) {
      for (let head = 0; head < 4; head++) {
        const kvHead = head < 2 ? 0 : 1
        const at = (position: number) => position * kvSize + kvHead * 3
        const query = queries.subarray((row * 4 + head) * 3)
        const weights = Array.from({ length: 2 + row + 1 }, (_, p) =>
          Math.exp(
            0.5 * (query[0]! * keys[at(p)]! + query[1]! * keys[at(p) + 1]! + query[2]! * keys[at(p) + 2]!),
          ),
        )
        const total = weights.reduce((sum, weight) => sum + weight, 0)
        const expected = [0, 1, 2].map((i) =>
          weights.reduce((sum, weight, p) => sum + (weight / total) * values[at(p) + i]!, 0),
        )
        expectClose(actual.subarray((row * 4 + head) * 3, (row * 4 + head) * 3 + 3), expected)
      }
    }
  })

  it('reads its window and no more', () => {
    const windowed = attention(queries, keys, values, { ...shape, window: 2 })
    const last = { ...shape, numRows: 1, firstPosition: 1 }
    for (let row = 0; row < 3; row++) {
      const start = (1 + row) * kvSize
      const alone = attention(queries.subarray(row * 12), keys.subarray(start), values.subarray(start), last)
      expectClose(windowed.subarray(row * 12, (row + 1) * 12), alone)
    }
    expectClose(
      attention(queries, keys, values, { ...shape, window: 5 }),
      attention(queries, keys, values, shape),
    )
  })

  it('caps scores behind the scale', () => {
    const one = { numRows: 1, firstPosition: 1, numHeads: 1, numKvHeads: 1, headDim: 1, scale: 3, softCap: 2 }
    const actual = attention(Float64Array.of(1), Float64Array.of(1, -0.5), Float64Array.of(1, 0), one)
    const difference = 2 * Math.tanh(1.5) - 2 * Math.tanh(-0.75)
    expectClose(actual, [1 / (1 + Math.exp(-difference))])
  })

  it('does not read what comes later', () => {
    const before = attention(queries, keys, values, { ...shape, numRows: 1 })
    const changed = Float64Array.from(values).fill(1e9, 3 * kvSize)
    expectClose(attention(queries, keys, changed, { ...shape, numRows: 1 }), before)
  })
})

describe('softmax and silu', () => {
  it('sums to one, also for logits that overflow', () => {
    expectClose(softmax(Float64Array.of(1000, 1000, -1000)), [0.5, 0.5, 0])
    expectClose(logSoftmax(Float64Array.of(0, Math.log(3))), [Math.log(1 / 4), Math.log(3 / 4)])
  })

  it('caps', () => {
    expectClose([softCapped(1e9, 30), softCapped(-1e9, 30), softCapped(0, 30)], [30, -30, 0])
    expect(softCapped(0.01, 30)).toBeCloseTo(0.01, 8)
  })

  it('has the GELU of a tanh', () => {
    // torch.nn.functional.gelu(torch.tensor([1., -2., 0.3], dtype=torch.float64), approximate='tanh')
    const expected = [0.8411919906082768, -0.04540230591222494, 0.18537092354275922]
    expectClose([1, -2, 0.3].map(geluTanh), expected)
    expectClose(geluTanhMul(Float64Array.of(1, -2), Float64Array.of(3, 5)), [
      3 * expected[0]!,
      5 * expected[1]!,
    ])
  })

  it('gates', () => {
    expect(silu(0)).toBe(0)
    expect(silu(-800)).toBeCloseTo(0)
    expectClose(siluMul(Float64Array.of(1, 2), Float64Array.of(3, -1)), [
      3 / (1 + Math.exp(-1)),
      -2 / (1 + Math.exp(-2)),
    ])
  })
})

it('embeds tokens', () => {
  expectClose(embed(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 0], 2), [5, 6, 1, 2])
})
