import type { KvCache, Span } from './kv-cache.ts'
import type { MaskInput, RopeInput, SharedInputs } from './shared-inputs.ts'

export interface FloatArray {
  readonly data: Float32Array
  readonly dims: readonly number[]
}

/** What the shared inputs hold for `numRows` rows from `firstPosition` on, by name. */
export function sharedArrays(
  { ropes, masks }: SharedInputs,
  { spans }: Pick<KvCache, 'spans'>,
  firstPosition: number,
  numRows: number,
): Record<string, FloatArray> {
  const arrays: Record<string, FloatArray> = {}
  for (const input of ropes) Object.assign(arrays, ropeRows(input, firstPosition, numRows))
  for (const mask of masks) {
    arrays[mask.past] = pastMask(mask, spans.get(mask.window)!, firstPosition, numRows)
    arrays[mask.fresh] = freshMask(mask, numRows)
  }
  return arrays
}

/** Cosines and sines (numRows, dim / 2), computed in float64: angles are large far into a context. */
function ropeRows({ cos, sin, rope }: RopeInput, firstPosition: number, numRows: number) {
  const { inverseFrequencies, magnitude = 1 } = rope
  const half = inverseFrequencies.length
  const angles = Float64Array.from(
    { length: numRows * half },
    (_, i) => (firstPosition + Math.floor(i / half)) * inverseFrequencies[i % half]!,
  )
  const dims = [numRows, half]
  return {
    [cos]: { data: Float32Array.from(angles, (angle) => magnitude * Math.cos(angle)), dims },
    [sin]: { data: Float32Array.from(angles, (angle) => magnitude * Math.sin(angle)), dims },
  }
}

/** (1, group * numRows, capacity), or (1, 1, capacity) where all rows read the same: 0 at the held positions in a row's window. */
function pastMask(
  { window, group }: MaskInput,
  { capacity, start }: Span,
  firstPosition: number,
  numRows: number,
): FloatArray {
  const firstRead = (row: number) => Math.max(start, firstPosition + row - window + 1)
  const isShared = firstRead(0) === firstRead(numRows - 1)
  const rows = isShared ? 1 : numRows
  const data = new Float32Array((isShared ? 1 : group) * rows * capacity).fill(-Infinity)
  for (let row = 0; row < rows; row++) {
    for (let position = firstRead(row); position < firstPosition; position++) {
      data[row * capacity + (position % capacity)] = 0
    }
  }
  return { data: repeated(data, rows * capacity), dims: [1, data.length / capacity, capacity] }
}

/** (1, group * numRows, numRows): 0 where a row may look, at itself and at those before it in its window. */
function freshMask({ window, group }: MaskInput, numRows: number): FloatArray {
  const data = new Float32Array(group * numRows * numRows).fill(-Infinity)
  for (let row = 0; row < numRows; row++) {
    data.fill(0, row * numRows + Math.max(0, row - window + 1), row * numRows + row + 1)
  }
  return { data: repeated(data, numRows * numRows), dims: [1, group * numRows, numRows] }
}

/** Copies the first `length` numbers over all that follow. */
function repeated(data: Float32Array, length: number): Float32Array {
  for (let at = length; at < data.length; at += length) data.copyWithin(at, 0, length)
  return data
}
