import { greatestOfLanes, madd, sumOfLanes } from './dot'
import { RopeOp, Row } from './ops'

/**
 * Tokens of a page. A layer's part of a page, in panels of eight that are read from end to end: keys (numKvHeads,
 * pageTokens / 8, headDim, 8 tokens), then values (numKvHeads, headDim / 8 rounded up, pageTokens, 8 components).
 *
 * These are f32; or i16 with a scale a token, and then in pairs, whose products are one instruction: keys (…, headDim / 2, 8
 * tokens, 2), values (…, pageTokens / 2, 8 components, 2 tokens), f32 (numKvHeads, pageTokens) of the keys' scales, and as much
 * of the values'.
 */
export const pageTokens: i32 = 64
export const panelWidth: i32 = 8

/** Components of a head whose panels are whole. */
// @ts-ignore: decorator
@inline
export function wholePanels(headDim: i32): i32 {
  return (headDim + panelWidth - 1) & -panelWidth
}

/** Writes a row's keys and values, f32 (numKvHeads, headDim) each, to their place. */
export function writePage<T>(op: RopeOp, row: Row, keys: usize, values: usize): void {
  const numKvHeads = <usize>op.numKvHeads
  const headDim = op.headDim
  const headBytes = <usize>headDim << 2
  const page = <usize>load<u32>(row.pageTable + (<usize>(row.position / pageTokens) << 2)) + op.layerOffset
  const token = row.position % pageTokens
  const rowBytes = <usize>panelWidth * sizeof<T>()
  const keyBytes = <usize>(pageTokens * headDim) * sizeof<T>()
  const valueBytes = <usize>(pageTokens * wholePanels(headDim)) * sizeof<T>()
  const scaleBytes = <usize>pageTokens << 2
  // Of a pair, the parts lie beside one another.
  const pair: usize = sizeof<T>() == 2 ? 2 : 1
  const tokenBytes = <usize>(token % panelWidth) * pair * sizeof<T>()
  let key = page + <usize>((token / panelWidth) * headDim) * rowBytes + tokenBytes
  let value = page + numKvHeads * keyBytes + (<usize>token / pair) * pair * rowBytes + (<usize>token % pair) * sizeof<T>()
  let scale = page + numKvHeads * (keyBytes + valueBytes) + (<usize>token << 2)
  for (let head: usize = 0; head < numKvHeads; head++) {
    const from = keys + head * headBytes
    const keyScale = keyScaleOf<T>(from, headBytes)
    for (let i: usize = 0; i < <usize>headDim; i++) {
      const to = key + (i / pair) * pair * rowBytes + (i % pair) * sizeof<T>()
      store<T>(to, narrow<T>(load<f32>(from + (i << 2)), keyScale))
    }
    const source = values + head * headBytes
    const valueScale = valueScaleOf<T>(source, headBytes)
    for (let i = 0; i < headDim; i++) {
      const panel = value + <usize>((i / panelWidth) * pageTokens) * rowBytes
      const to = panel + <usize>(i % panelWidth) * pair * sizeof<T>()
      store<T>(to, narrow<T>(load<f32>(source + (<usize>i << 2)), valueScale))
    }
    if (sizeof<T>() == 2) {
      store<f32>(scale, keyScale)
      store<f32>(scale + numKvHeads * scaleBytes, valueScale)
    }
    key += keyBytes
    value += valueBytes
    scale += scaleBytes
  }
}

/**
 * What whole numbers of a key or a query are multiplied by. A sum of products is at most the product of the norms (Cauchy-Schwarz):
 * with norms up to 46,000 it fits into 32 bits, and what has few large components keeps 16.
 */
// @ts-ignore: decorator
@inline
export function keyScaleOf<T>(x: usize, bytes: usize): f32 {
  if (sizeof<T>() == 4) return 1
  let squares = f32x4.splat(0)
  for (let i: usize = 0; i < bytes; i += 16) {
    const v = v128.load(x + i)
    squares = madd(v, v, squares)
  }
  return max(Mathf.sqrt(sumOfLanes(squares)) / 46000, greatestOf(x, bytes) / 32767)
}

/** Of values: these, by weights whose sum is at most `mostWeight`, make sums of 32 bits. */
const mostOfValues: i32 = 16383
export const mostWeight: i32 = 131000

// @ts-ignore: decorator
@inline
function valueScaleOf<T>(x: usize, bytes: usize): f32 {
  return sizeof<T>() == 4 ? 1 : greatestOf(x, bytes) / <f32>mostOfValues
}

function greatestOf(x: usize, bytes: usize): f32 {
  let most = f32x4.splat(0)
  for (let i: usize = 0; i < bytes; i += 16) most = f32x4.pmax(most, f32x4.abs(v128.load(x + i)))
  return greatestOfLanes(most)
}

// @ts-ignore: decorator
@inline
export function narrow<T>(x: f32, scale: f32): T {
  if (sizeof<T>() == 4) return <T>x
  return <T>(scale > 0 ? <i32>nearest(x / scale) : 0)
}
