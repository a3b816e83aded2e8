// The transformer's operations in float64, written to be read: what every kernel is tested against.

import type { RopeSpec } from '../transformer-spec.ts'

/** Numbers a test has in f32 and the executor in f64. */
export type Numbers = Float32Array | Float64Array

/** y = x / sqrt(mean(x^2) + epsilon) * gain. x, y: (numRows, hiddenSize); gain: (hiddenSize). Zhang & Sennrich 2019. */
export function rmsNorm(
  x: Numbers,
  gain: Numbers,
  epsilon: number,
  numRows: number,
  hiddenSize: number,
): Float64Array {
  const y = new Float64Array(numRows * hiddenSize)
  for (let row = 0; row < numRows; row++) {
    const start = row * hiddenSize
    let sumOfSquares = 0
    for (let i = 0; i < hiddenSize; i++) sumOfSquares += x[start + i]! ** 2
    const scale = 1 / Math.sqrt(sumOfSquares / hiddenSize + epsilon)
    for (let i = 0; i < hiddenSize; i++) y[start + i] = x[start + i]! * scale * gain[i]!
  }
  return y
}

/**
 * y = x weights^T. x: (numRows, inputSize); weights: (outputSize, inputSize), row-major; y: (numRows, outputSize).
 * Four rows of x and two of weights at a time, widened to f64 beforehand: JavaScript engines like loops over one type.
 */
export function matmul(
  weights: Numbers,
  x: Numbers,
  numRows: number,
  outputSize: number,
  inputSize: number,
): Float64Array {
  const y = new Float64Array(numRows * outputSize)
  const rows = x instanceof Float64Array ? x : Float64Array.from(x)
  const w0 = new Float64Array(inputSize)
  const w1 = new Float64Array(inputSize)
  for (let output = 0; output < outputSize; output += 2) {
    const isPair = output + 1 < outputSize
    w0.set(weights.subarray(output * inputSize, (output + 1) * inputSize))
    if (isPair) w1.set(weights.subarray((output + 1) * inputSize, (output + 2) * inputSize))
    let row = 0
    for (; isPair && row + 4 <= numRows; row += 4) {
      fourByTwo(w0, w1, rows, row * inputSize, y, row * outputSize + output, outputSize)
    }
    for (; row < numRows; row++) {
      y[row * outputSize + output] = dot(w0, 0, rows, row * inputSize, inputSize)
      if (isPair) y[row * outputSize + output + 1] = dot(w1, 0, rows, row * inputSize, inputSize)
    }
  }
  return y
}

/** y[r, c] = x[r] . w[c] for four rows from `x0` and two columns; `to` is y's first element, `stride` its row length. */
function fourByTwo(
  w0: Float64Array,
  w1: Float64Array,
  x: Float64Array,
  x0: number,
  y: Float64Array,
  to: number,
  stride: number,
): void {
  const length = w0.length
  const x1 = x0 + length
  const x2 = x1 + length
  const x3 = x2 + length
  let s00 = 0
  let s01 = 0
  let s10 = 0
  let s11 = 0
  let s20 = 0
  let s21 = 0
  let s30 = 0
  let s31 = 0
  for (let i = 0; i < length; i++) {
    const a = w0[i]!
    const b = w1[i]!
    const p = x[x0 + i]!
    const q = x[x1 + i]!
    const r = x[x2 + i]!
    const s = x[x3 + i]!
    s00 += a * p
    s01 += b * p
    s10 += a * q
    s11 += b * q
    s20 += a * r
    s21 += b * r
    s30 += a * s
    s31 += b * s
  }
  y[to] = s00
  y[to + 1] = s01
  y[to + stride] = s10
  y[to + stride + 1] = s11
  y[to + 2 * stride] = s20
  y[to + 2 * stride + 1] = s21
  y[to + 3 * stride] = s30
  y[to + 3 * stride + 1] = s31
}

/** Four sums at a time: one alone waits for each addition. */
function dot(a: Numbers, aStart: number, b: Numbers, bStart: number, length: number): number {
  let sum0 = 0
  let sum1 = 0
  let sum2 = 0
  let sum3 = 0
  let i = 0
  for (; i + 4 <= length; i += 4) {
    sum0 += a[aStart + i]! * b[bStart + i]!
    sum1 += a[aStart + i + 1]! * b[bStart + i + 1]!
    sum2 += a[aStart + i + 2]! * b[bStart + i + 2]!
    sum3 += a[aStart + i + 3]! * b[bStart + i + 3]!
  }
  for (; i < length; i++) sum0 += a[aStart + i]! * b[bStart + i]!
  return sum0 + sum1 + (sum2 + sum3)
}

/**
 * Turns the heads of one row, in place: for i < dim / 2 the pair (2i, 2i + 1) of each head, or (i, i + dim / 2) where
 * `pairing` is `half`, by position * inverseFrequencies[i], and makes it `magnitude` times as long. Components from `dim` on
 * stay. x: (numHeads, headDim). Su et al. 2021.
 */
export function applyRope(
  x: Numbers,
  position: number,
  inverseFrequencies: Numbers,
  headDim: number,
  dim: number,
  pairing: RopeSpec['pairing'] = 'adjacent',
  magnitude = 1,
): void {
  for (let head = 0; head < x.length; head += headDim) {
    for (let i = 0; i < dim / 2; i++) {
      const angle = position * inverseFrequencies[i]!
      const cos = magnitude * Math.cos(angle)
      const sin = magnitude * Math.sin(angle)
      const first = head + (pairing === 'half' ? i : 2 * i)
      const second = pairing === 'half' ? first + dim / 2 : first + 1
      const a = x[first]!
      const b = x[second]!
      x[first] = a * cos - b * sin
      x[second] = a * sin + b * cos
    }
  }
}

export interface AttentionShape {
  readonly numRows: number
  /** Position of the first row; the others follow it. */
  readonly firstPosition: number
  readonly numHeads: number
  /** Query head h reads key-value head floor(h * numKvHeads / numHeads). */
  readonly numKvHeads: number
  readonly headDim: number
  /** Multiplies query-key products. */
  readonly scale: number
  /** Of the scaled products; none if absent. */
  readonly softCap?: number | undefined
  /** How many positions a row reads, its own included; all if absent. */
  readonly window?: number | undefined
}

/**
 * Causal attention: the row at position p reads keys and values of positions 0 to p, or the last `window` of them.
 * queries, result: (numRows, numHeads, headDim); keys, values: (at least firstPosition + numRows, numKvHeads, headDim).
 */
export function attention(
  queries: Numbers,
  keys: Numbers,
  values: Numbers,
  shape: AttentionShape,
): Float64Array {
  const { numRows, firstPosition, numHeads, numKvHeads, headDim, scale, softCap, window } = shape
  const result = new Float64Array(numRows * numHeads * headDim)
  for (let row = 0; row < numRows; row++) {
    const end = firstPosition + row + 1
    const start = Math.max(0, end - (window ?? end))
    for (let head = 0; head < numHeads; head++) {
      const query = (row * numHeads + head) * headDim
      const kvHead = Math.floor((head * numKvHeads) / numHeads)
      const kvStart = (position: number) => (position * numKvHeads + kvHead) * headDim
      const scores = new Float64Array(end - start)
      for (let position = start; position < end; position++) {
        const score = scale * dot(queries, query, keys, kvStart(position), headDim)
        scores[position - start] = softCap === undefined ? score : softCapped(score, softCap)
      }
      const weights = softmax(scores)
      for (let position = start; position < end; position++) {
        const weight = weights[position - start]!
        const value = kvStart(position)
        for (let i = 0; i < headDim; i++) result[query + i]! += weight * values[value + i]!
      }
    }
  }
  return result
}

/** exp(x) / sum(exp(x)). */
export function softmax(x: Numbers): Float64Array {
  return logSoftmax(x).map(Math.exp)
}

/** x - ln(sum(exp(x))): natural-log probabilities. */
export function logSoftmax(x: Numbers): Float64Array {
  let largest = Number.NEGATIVE_INFINITY
  for (const value of x) largest = Math.max(largest, value)
  let sum = 0
  for (const value of x) sum += Math.exp(value - largest)
  const logSum = largest + Math.log(sum)
  return Float64Array.from(x, (value) => value - logSum)
}

/** x / (1 + exp(-x)). */
export function silu(x: number): number {
  return x / (1 + Math.exp(-x))
}

/** 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))). Hendrycks & Gimpel 2016. */
export function geluTanh(x: number): number {
  return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))
}

/** silu(gate) * up, component by component. */
export function siluMul(gate: Numbers, up: Numbers): Float64Array {
  return Float64Array.from(gate, (value, i) => silu(value) * up[i]!)
}

/** geluTanh(gate) * up, component by component. */
export function geluTanhMul(gate: Numbers, up: Numbers): Float64Array {
  return Float64Array.from(gate, (value, i) => geluTanh(value) * up[i]!)
}

/** cap * tanh(x / cap): x where it is small, never beyond the cap. Gemma 2, section 2. */
export function softCapped(x: number, cap: number): number {
  return cap * Math.tanh(x / cap)
}

/** The rows of `tokens` in a table. table: (vocabSize, hiddenSize); result: (tokens.length, hiddenSize). */
export function embed(
  table: Numbers,
  tokens: Uint32Array | readonly number[],
  hiddenSize: number,
): Float64Array {
  const rows = new Float64Array(tokens.length * hiddenSize)
  tokens.forEach((token, row) => {
    rows.set(table.subarray(token * hiddenSize, (token + 1) * hiddenSize), row * hiddenSize)
  })
  return rows
}
