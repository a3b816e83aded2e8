import { madd, sumOfLanes } from './dot'
import { exp, softCapped } from './exp'
import { AttentionOp, MergeOp, Row } from './ops'
import { pageTokens } from './rope'
import { scratch } from './scratch'

const lowest: f32 = -1e30

/**
 * Causal attention with an online softmax (Milakov & Gimelshein 2018) over pages of keys, for the query heads that share one
 * key-value head. The pages that a row sees are cut into numSplits parts (Dao et al. 2023, Flash-Decoding).
 */
export function attention(op: AttentionOp, chunk: i32): void {
  const numSplits = op.numSplits
  const split = chunk % numSplits
  const kvHead = (chunk / numSplits) % op.numKvHeads
  const rowIndex = chunk / numSplits / op.numKvHeads
  const row = changetype<Row>(op.rows + (<usize>rowIndex << 4))
  const headDim = op.headDim
  const headBytes = <usize>headDim << 2
  const end = row.position + 1
  const begin = op.window > 0 ? max(0, end - op.window) : 0
  const firstPage = begin / pageTokens
  const numPages = (end - 1) / pageTokens + 1 - firstPage
  const pageBegin = firstPage + (numPages * split) / numSplits
  const pageEnd = firstPage + (numPages * (split + 1)) / numSplits

  const group = op.numHeads / op.numKvHeads
  const partBytes = headBytes + 16
  const query = op.qkv + <usize>rowIndex * op.qkvStride + <usize>(kvHead * group) * headBytes
  const part = op.parts + <usize>(((rowIndex * op.numHeads + kvHead * group) * numSplits + split)) * partBytes
  const partStride = partBytes * <usize>numSplits
  for (let head = 0; head < group; head++) {
    const at = part + <usize>head * partStride
    memory.fill(at, 0, partBytes)
    store<f32>(at + headBytes, lowest)
  }
  for (let pageIndex = pageBegin; pageIndex < pageEnd; pageIndex++) {
    const page = <usize>load<u32>(row.pageTable + (<usize>pageIndex << 2)) + op.layerOffset
    const keys = page + (<usize>kvHead * headBytes) * <usize>pageTokens
    const values = page + (<usize>(op.numKvHeads + kvHead) * headBytes) * <usize>pageTokens
    const from = max(begin - pageIndex * pageTokens, 0)
    const to = min(end - pageIndex * pageTokens, pageTokens)
    for (let head = 0; head < group; head++) {
      attendPage(op, query + <usize>head * headBytes, keys, values, from, to, part + <usize>head * partStride)
    }
  }
}

/** Tokens [from, to) of one page for one query head. Scores, then weights, are in this thread's scratch. */
function attendPage(op: AttentionOp, query: usize, keys: usize, values: usize, from: i32, to: i32, part: usize): void {
  const headDim = op.headDim
  const headBytes = <usize>headDim << 2
  const firstToken = from & ~15
  for (let token = firstToken; token < to; token += 16) score16(op, query, keys, token)

  let most = f32x4.splat(lowest)
  for (let token = firstToken; token < to; token += 4) {
    const at = scratch + (<usize>token << 2)
    const visible = visibleLanes(token, from, to)
    const masked = v128.bitselect(v128.load(at), f32x4.splat(lowest), visible)
    v128.store(at, masked)
    most = f32x4.max(most, masked)
  }
  const before = load<f32>(part + headBytes)
  const greatest = max(
    before,
    max(
      max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)),
      max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)),
    ),
  )
  let total = f32x4.splat(0)
  for (let token = firstToken; token < to; token += 4) {
    const at = scratch + (<usize>token << 2)
    const weights = v128.and(
      exp(f32x4.sub(v128.load(at), f32x4.splat(greatest))),
      visibleLanes(token, from, to),
    )
    v128.store(at, weights)
    total = f32x4.add(total, weights)
  }
  const correction = f32x4.extract_lane(exp(f32x4.splat(before - greatest)), 0)
  store<f32>(part + headBytes, greatest)
  store<f32>(part + headBytes, load<f32>(part + headBytes, 4) * correction + sumOfLanes(total), 4)
  addValues(headBytes, values, from, to, part, f32x4.splat(correction))
}

/** All bits of the lanes whose token is in [from, to). */
// @ts-ignore: decorator
@inline
function visibleLanes(token: i32, from: i32, to: i32): v128 {
  const tokens = i32x4.add(i32x4.splat(token), i32x4(0, 1, 2, 3))
  return v128.and(i32x4.ge_s(tokens, i32x4.splat(from)), i32x4.lt_s(tokens, i32x4.splat(to)))
}

/** Scores of 16 tokens: a lane is a token. */
// @ts-ignore: decorator
@inline
function score16(op: AttentionOp, query: usize, keys: usize, token: i32): void {
  let s0 = f32x4.splat(0)
  let s1 = f32x4.splat(0)
  let s2 = f32x4.splat(0)
  let s3 = f32x4.splat(0)
  const end = query + (<usize>op.headDim << 2)
  let k = keys + (<usize>token << 2)
  for (let q = query; q < end; q += 4, k += <usize>pageTokens << 2) {
    const component = v128.load32_splat(q)
    s0 = madd(component, v128.load(k), s0)
    s1 = madd(component, v128.load(k, 16), s1)
    s2 = madd(component, v128.load(k, 32), s2)
    s3 = madd(component, v128.load(k, 48), s3)
  }
  const scale = f32x4.splat(op.scale)
  s0 = f32x4.mul(s0, scale)
  s1 = f32x4.mul(s1, scale)
  s2 = f32x4.mul(s2, scale)
  s3 = f32x4.mul(s3, scale)
  if (op.softCap > 0) {
    const cap = f32x4.splat(op.softCap)
    s0 = softCapped(s0, cap)
    s1 = softCapped(s1, cap)
    s2 = softCapped(s2, cap)
    s3 = softCapped(s3, cap)
  }
  const at = scratch + (<usize>token << 2)
  v128.store(at, s0)
  v128.store(at, s1, 16)
  v128.store(at, s2, 32)
  v128.store(at, s3, 48)
}

/** part = correction * part + weights * values, 16 components at a time in registers. */
// @ts-ignore: decorator
@inline
function addValues(headBytes: usize, values: usize, from: i32, to: i32, part: usize, correction: v128): void {
  let i: usize = 0
  for (; i + 64 <= headBytes; i += 64) {
    let y0 = f32x4.mul(v128.load(part + i), correction)
    let y1 = f32x4.mul(v128.load(part + i, 16), correction)
    let y2 = f32x4.mul(v128.load(part + i, 32), correction)
    let y3 = f32x4.mul(v128.load(part + i, 48), correction)
    let v = values + <usize>from * headBytes + i
    for (let token = from; token < to; token++, v += headBytes) {
      const weight = v128.load32_splat(scratch + (<usize>token << 2))
      y0 = madd(weight, v128.load(v), y0)
      y1 = madd(weight, v128.load(v, 16), y1)
      y2 = madd(weight, v128.load(v, 32), y2)
      y3 = madd(weight, v128.load(v, 48), y3)
    }
    v128.store(part + i, y0)
    v128.store(part + i, y1, 16)
    v128.store(part + i, y2, 32)
    v128.store(part + i, y3, 48)
  }
  for (; i < headBytes; i += 16) {
    let y = f32x4.mul(v128.load(part + i), correction)
    let v = values + <usize>from * headBytes + i
    for (let token = from; token < to; token++, v += headBytes) {
      y = madd(v128.load32_splat(scratch + (<usize>token << 2)), v128.load(v), y)
    }
    v128.store(part + i, y)
  }
}

export function merge(op: MergeOp, row: i32): void {
  const numSplits = op.numSplits
  const headBytes = <usize>op.headDim << 2
  const partBytes = headBytes + 16
  for (let head = 0; head < op.numHeads; head++) {
    const parts = op.parts + <usize>((row * op.numHeads + head) * numSplits) * partBytes
    let greatest = lowest
    for (let split = 0; split < numSplits; split++) {
      greatest = max(greatest, load<f32>(parts + <usize>split * partBytes + headBytes))
    }
    const output = op.output + <usize>(row * op.numHeads + head) * headBytes
    memory.fill(output, 0, headBytes)
    let total: f32 = 0
    for (let split = 0; split < numSplits; split++) {
      const part = parts + <usize>split * partBytes
      const share = f32x4.extract_lane(exp(f32x4.splat(load<f32>(part + headBytes) - greatest)), 0)
      total += share * load<f32>(part + headBytes, 4)
      for (let i: usize = 0; i < headBytes; i += 16) {
        v128.store(output + i, madd(f32x4.splat(share), v128.load(part + i), v128.load(output + i)))
      }
    }
    const inverse = f32x4.splat(1 / total)
    for (let i: usize = 0; i < headBytes; i += 16) {
      v128.store(output + i, f32x4.mul(v128.load(output + i), inverse))
    }
  }
}
