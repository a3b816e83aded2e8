import { RopeOp, Row } from './ops'

/**
 * Tokens of a page. A layer's part of a page, in panels of eight that are read from end to end: keys (numKvHeads,
 * pageTokens / 8, headDim, 8 tokens), then values (numKvHeads, headDim / 8 rounded up, pageTokens, 8 components). Both are
 * f32, or i16 with a scale a token: then f32 (numKvHeads, pageTokens) of the keys and as much of the values follow.
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
  let key = page + <usize>((token / panelWidth) * headDim) * rowBytes + <usize>(token % panelWidth) * sizeof<T>()
  let value = page + numKvHeads * keyBytes + <usize>token * rowBytes
  let scale = page + numKvHeads * (keyBytes + valueBytes) + (<usize>token << 2)
  for (let head: usize = 0; head < numKvHeads; head++) {
    const from = keys + head * headBytes
    const keyScale = scaleOf<T>(from, headBytes)
    for (let i = 0; i < headDim; i++) {
      store<T>(key + <usize>i * rowBytes, narrow<T>(load<f32>(from + (<usize>i << 2)), keyScale))
    }
    const source = values + head * headBytes
    const valueScale = scaleOf<T>(source, headBytes)
    for (let i = 0; i < headDim; i++) {
      const to = value + <usize>((i / panelWidth) * pageTokens) * rowBytes + <usize>(i % panelWidth) * sizeof<T>()
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

/** What whole numbers of 15 bits are multiplied by; 0 where nothing but zeros is. */
// @ts-ignore: decorator
@inline
function scaleOf<T>(x: usize, bytes: usize): f32 {
  if (sizeof<T>() == 4) return 1
  let most = f32x4.splat(0)
  for (let i: usize = 0; i < bytes; i += 16) most = f32x4.max(most, f32x4.abs(v128.load(x + i)))
  const greatest = max(
    max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)),
    max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)),
  )
  return greatest / 32767
}

// @ts-ignore: decorator
@inline
function narrow<T>(x: f32, scale: f32): T {
  if (sizeof<T>() == 4) return <T>x
  return <T>(scale > 0 ? <i32>nearest(x / scale) : 0)
}
