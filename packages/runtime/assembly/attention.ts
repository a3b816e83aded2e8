import { greatestOfLanes, sumOfLanes } from './dot'
import { exp, softCapped } from './exp'
import { AttentionOp, Row } from './ops'
import { keyScaleOf, mostWeight, narrow, pageTokens, panelWidth, wholePanels } from './pages'
import { addPanel, rowsOfTile, scorePanel } from './panels'
import { wholeNumbers } from './round'
import { scratch } from './scratch'

const lowest: f32 = -1e30
/** Queries whose scores of a page are in scratch at once. */
const mostQueries: i32 = 16
const scoreStride: usize = <usize>pageTokens << 2

/**
 * Causal attention with an online softmax (Milakov & Gimelshein 2018) over pages of keys, for the query heads of
 * successive rows that share one key-value head: what is read of a page is read once for all of them. The pages that they
 * see are cut into numSplits parts (Dao et al. 2023, Flash-Decoding).
 *
 * Measured on SmolLM2's 30 layers at position 2,000, two threads of a Zen 5: 3.1 ms a token; 4.0 with keys and values in
 * f32; 5.4 without `fetch`, and 5.0 then in f32; 6.0 a head at a time over panels as wide as the page. Lost besides: fetching the next
 * page between this one's panels, no difference beyond noise on a busy Xeon that waits for memory; 8 bits, see docs/architecture.md.
 */
export function attention(op: AttentionOp, chunk: i32): void {
  if (op.keyBytes == 2) attend<i16>(op, chunk)
  else attend<f32>(op, chunk)
}

/*
 * Scratch: scores f32 (mostQueries, pageTokens); queries T (numQueries, headDim); what their products are multiplied by; and for
 * each query its sums: weighted values f32 (headDim in whole panels), greatest score, total weight, what a page multiplies those
 * before it by, and its own products.
 */
function attend<T>(op: AttentionOp, chunk: i32): void {
  const numSplits = op.numSplits
  const split = chunk % numSplits
  const kvHead = (chunk / numSplits) % op.numKvHeads
  const firstRow = (chunk / numSplits / op.numKvHeads) * op.rowsPerChunk
  const numRows = min(op.rowsPerChunk, op.numRows - firstRow)
  const group = op.numHeads / op.numKvHeads
  const numQueries = numRows * group
  const headDim = op.headDim
  const headBytes = <usize>headDim << 2
  const valueBytes = <usize>wholePanels(headDim) << 2
  const sumsBytes = valueBytes + 16
  const queries = scratch + <usize>mostQueries * scoreStride
  const querySteps = queries + <usize>numQueries * headBytes
  const sums = querySteps + (<usize>((numQueries + 3) & ~3) << 2)

  placeQueries<T>(op, firstRow, numQueries, kvHead * group, group, queries, querySteps)
  memory.fill(sums, 0, <usize>numQueries * sumsBytes)
  for (let query = 0; query < numQueries; query++) store<f32>(sums + <usize>query * sumsBytes + valueBytes, lowest)

  const first = changetype<Row>(op.rows + (<usize>firstRow << 4))
  const begin = firstSeen(first.position, op.window)
  const end = first.position + numRows
  const firstPage = begin / pageTokens
  const numPages = (end - 1) / pageTokens + 1 - firstPage
  const pageEnd = firstPage + (numPages * (split + 1)) / numSplits
  const keyBytes = <usize>(pageTokens * headDim) * sizeof<T>()
  const valuePageBytes = <usize>(pageTokens * wholePanels(headDim)) * sizeof<T>()
  for (let index = firstPage + (numPages * split) / numSplits; index < pageEnd; index++) {
    const page = <usize>load<u32>(first.pageTable + (<usize>index << 2)) + op.layerOffset
    const keys = page + <usize>kvHead * keyBytes
    const values = page + <usize>op.numKvHeads * keyBytes + <usize>kvHead * valuePageBytes
    const scales = page + <usize>op.numKvHeads * (keyBytes + valuePageBytes) + <usize>kvHead * scoreStride
    fetch(keys, keyBytes)
    fetch(values, valuePageBytes)
    const start = index * pageTokens
    const from = max(begin - start, 0)
    const to = min(end - start, pageTokens)
    for (let query = 0; query < numQueries; query += mostQueries) {
      const count = min(mostQueries, numQueries - query)
      score<T>(count, headDim, queries + <usize>(query * headDim) * sizeof<T>(), keys, from, to)
      for (let each = 0; each < count; each++) {
        const position = first.position + (query + each) / group
        weigh<T>(
          op,
          scratch + <usize>each * scoreStride,
          scales,
          from,
          to,
          max(firstSeen(position, op.window) - start, 0),
          position + 1 - start,
          sums + <usize>(query + each) * sumsBytes + valueBytes,
          querySteps + (<usize>(query + each) << 2),
        )
      }
      addValues<T>(count, values, from, to, sums + <usize>query * sumsBytes, valueBytes)
    }
  }

  const partBytes = headBytes + 16
  for (let query = 0; query < numQueries; query++) {
    const head = (firstRow + query / group) * op.numHeads + kvHead * group + (query % group)
    const part = op.parts + <usize>(head * numSplits + split) * partBytes
    const from = sums + <usize>query * sumsBytes
    memory.copy(part, from, headBytes)
    memory.copy(part + headBytes, from + valueBytes, 16)
  }
}

/** Copies queries as `scorePanel` takes them, and what their products are to be multiplied by to be scores. */
function placeQueries<T>(
  op: AttentionOp,
  firstRow: i32,
  numQueries: i32,
  firstHead: i32,
  group: i32,
  to: usize,
  steps: usize,
): void {
  const headDim = op.headDim
  for (let query = 0; query < numQueries; ) {
    const rows = rowsOfTile(min(mostQueries - (query % mostQueries), numQueries - query))
    for (let each = 0; each < rows; each++, query++) {
      const head = firstHead + (query % group)
      const from = op.qkv + <usize>(firstRow + query / group) * op.qkvStride + (<usize>(head * headDim) << 2)
      if (sizeof<T>() == 2) {
        const scale = keyScaleOf<T>(from, <usize>headDim << 2)
        for (let i = 0; i < headDim; i++) {
          const pair = to + (<usize>((i >> 1) * rows + each) << 2)
          store<i16>(pair + (<usize>(i & 1) << 1), narrow<i16>(load<f32>(from + (<usize>i << 2)), scale))
        }
        store<f32>(steps + (<usize>query << 2), scale * op.scale)
      } else {
        for (let i = 0; i < headDim; i++) {
          store<f32>(to + (<usize>(i * rows + each) << 2), op.scale * load<f32>(from + (<usize>i << 2)))
        }
      }
    }
    to += <usize>(rows * headDim) * sizeof<T>()
  }
}

/** Where what was read for its sake alone goes: else it would not be read. */
let fetched: v128 = i32x4.splat(0)

/**
 * Brings into the cache at the speed of memory what is then read more slowly than the machine reads ahead for; `bytes` a
 * multiple of 256.
 */
function fetch(at: usize, bytes: usize): void {
  let all = fetched
  const end = at + bytes
  for (; at < end; at += 256) {
    all = v128.or(all, v128.load(at))
    all = v128.or(all, v128.load(at, 64))
    all = v128.or(all, v128.load(at, 128))
    all = v128.or(all, v128.load(at, 192))
  }
  fetched = all
}

// @ts-ignore: decorator
@inline
function firstSeen(position: i32, window: i32): i32 {
  return window > 0 ? max(0, position + 1 - window) : 0
}

/** Scores of the panels of keys that hold tokens [from, to), before scales. */
// @ts-ignore: decorator
@inline
function score<T>(numQueries: i32, headDim: i32, queries: usize, keys: usize, from: i32, to: i32): void {
  for (let token = from & -panelWidth; token < to; token += panelWidth) {
    const panel = keys + <usize>(token * headDim) * sizeof<T>()
    const scores = scratch + (<usize>token << 2)
    scorePanel<T>(numQueries, headDim, queries, panel, scores, scoreStride)
  }
}

/**
 * Turns one query's scores of the tokens [from, to) into weights, 0 for those outside [firstSeen, endSeen).
 * @param state address of the greatest score, the total weight, the factor of what was before, and the weights' own
 * @param queryStep address of what whole numbers are multiplied by
 */
function weigh<T>(
  op: AttentionOp,
  scores: usize,
  scales: usize,
  from: i32,
  to: i32,
  firstSeen: i32,
  endSeen: i32,
  state: usize,
  queryStep: usize,
): void {
  const firstToken = from & ~3
  const seesAll = firstSeen <= firstToken && endSeen >= ((to + 3) & ~3)
  const cap = f32x4.splat(op.softCap)
  let most = f32x4.splat(lowest)
  for (let token = firstToken; token < to; token += 4) {
    const at = <usize>token << 2
    let s = v128.load(scores + at)
    if (sizeof<T>() == 2) {
      s = f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(s), v128.load32_splat(queryStep)), v128.load(scales + at))
    }
    if (op.softCap > 0) s = softCapped(s, cap)
    if (!seesAll) s = v128.bitselect(s, f32x4.splat(lowest), lanesWithin(token, firstSeen, endSeen))
    v128.store(scores + at, s)
    most = f32x4.pmax(most, s)
  }
  const before = load<f32>(state)
  const greatest = max(before, greatestOfLanes(most))
  const valueScales = scales + <usize>op.numKvHeads * scoreStride
  let total = f32x4.splat(0)
  let heaviest = f32x4.splat(0)
  let scaledTotal = f32x4.splat(0)
  for (let token = firstToken; token < to; token += 4) {
    const at = <usize>token << 2
    let weights = exp(f32x4.sub(v128.load(scores + at), f32x4.splat(greatest)))
    if (!seesAll) weights = v128.and(weights, lanesWithin(token, firstSeen, endSeen))
    total = f32x4.add(total, weights)
    if (sizeof<T>() == 2) {
      weights = f32x4.mul(weights, v128.load(valueScales + at))
      // Scales of tokens that are not there may be anything: zero times it is not zero.
      if (!seesAll) weights = v128.and(weights, lanesWithin(token, firstSeen, endSeen))
      heaviest = f32x4.pmax(heaviest, weights)
      scaledTotal = f32x4.add(scaledTotal, weights)
    }
    v128.store(scores + at, weights)
  }
  const factor = f32x4.extract_lane(exp(f32x4.splat(before - greatest)), 0)
  store<f32>(state, greatest)
  store<f32>(state, load<f32>(state, 4) * factor + sumOfLanes(total), 4)
  store<f32>(state, factor, 8)
  if (sizeof<T>() == 2) {
    const step = max(greatestOfLanes(heaviest) / 32767, sumOfLanes(scaledTotal) / <f32>mostWeight)
    store<f32>(state, step, 12)
    makeWhole(scores, firstToken, to, step)
  }
}

/** Weights f32 to i16 of the same tokens, over `step`, in place, from the row's start on. */
// @ts-ignore: decorator
@inline
function makeWhole(weights: usize, firstToken: i32, to: i32, step: f32): void {
  const inverse = f32x4.splat(step > 0 ? 1 / step : 0)
  for (let token = firstToken; token < to; token += 4) {
    const numbers = wholeNumbers(v128.load(weights + (<usize>token << 2)), inverse)
    v128.store64_lane(weights + (<usize>token << 1), i16x8.narrow_i32x4_s(numbers, numbers), 0)
  }
}

/** All bits of the lanes whose token is in [from, to). */
// @ts-ignore: decorator
@inline
function lanesWithin(token: i32, from: i32, to: i32): v128 {
  const tokens = i32x4.add(i32x4.splat(token), i32x4(0, 1, 2, 3))
  return v128.and(i32x4.ge_s(tokens, i32x4.splat(from)), i32x4.lt_s(tokens, i32x4.splat(to)))
}

/** sums = factor * sums + weights * values of the tokens [from, to), panel after panel. */
// @ts-ignore: decorator
@inline
function addValues<T>(numQueries: i32, values: usize, from: i32, to: i32, sums: usize, valueBytes: usize): void {
  // Of whole numbers both tokens of a pair; one that is not seen has no weight.
  const first = sizeof<T>() == 2 ? from & ~1 : from
  const end = sizeof<T>() == 2 ? (to + 1) & ~1 : to
  const weights = scratch + <usize>first * sizeof<T>()
  const rowBytes = <usize>panelWidth * sizeof<T>()
  const factors = sums + valueBytes + 8
  let panel = values + <usize>first * rowBytes
  for (let i: usize = 0; i < valueBytes; i += <usize>panelWidth << 2) {
    addPanel<T>(numQueries, end - first, weights, panel, sums + i, valueBytes + 16, factors)
    panel += <usize>pageTokens * rowBytes
  }
}
