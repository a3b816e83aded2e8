// The search for the numbers that scale a group, after ggml's make_qx_quants and make_qkx2_quants: quantise with several
// step sizes, fit the scale to each outcome by least squares, keep the one with the smallest squared error.

export type Values = Float32Array | Float64Array

/** Step sizes tried on each side of the naive one. */
const numTrials = 9
const trialStep = 0.1

/** `value` as the nearest whole number from `least` to `most`. */
export function nearest(value: number, least: number, most: number): number {
  const rounded = Math.round(value)
  if (rounded < least) return least
  return Math.min(rounded, most)
}

/**
 * The scale d for which the values are nearest to d q, q whole from -most - 1 to most.
 * @param stored how a scale is stored: the error is that of what will be read back
 */
export function fitScale(
  values: Values,
  start: number,
  count: number,
  most: number,
  stored: (scale: number) => number,
): number {
  const least = -most - 1
  let extreme = 0
  for (let i = start; i < start + count; i++) {
    if (Math.abs(values[i]!) > Math.abs(extreme)) extreme = values[i]!
  }
  if (extreme === 0) return 0
  let best = 0
  let bestError = Number.POSITIVE_INFINITY
  const consider = (candidate: number) => {
    const scale = stored(candidate)
    const error = scaleError(values, start, count, least, most, scale)
    if (error < bestError) {
      best = scale
      bestError = error
    }
  }
  consider(extreme / least)
  consider(extreme / most)
  for (let trial = -numTrials; trial <= numTrials; trial++) {
    const inverse = (least + trialStep * trial) / extreme
    let products = 0
    let squares = 0
    for (let i = start; i < start + count; i++) {
      const q = nearest(values[i]! * inverse, least, most)
      products += values[i]! * q
      squares += q * q
    }
    if (squares > 0) consider(products / squares)
  }
  return best
}

/** Sum of squares of what quantising with a scale leaves; a scale of 0 leaves all. */
export function scaleError(
  values: Values,
  start: number,
  count: number,
  least: number,
  most: number,
  scale: number,
): number {
  const inverse = scale === 0 ? 0 : 1 / scale
  let error = 0
  for (let i = start; i < start + count; i++) {
    const rest = values[i]! - scale * nearest(values[i]! * inverse, least, most)
    error += rest * rest
  }
  return error
}

export interface Line {
  readonly scale: number
  /** What a q of 0 stands for. */
  readonly offset: number
}

/** What lines a format can hold: d q + m, q whole from 0 to `most`. */
export interface LineFormat {
  readonly most: number
  readonly maxOffset: number
  /** The line that is read back. */
  stored(line: Line): Line
}

/** The line that is nearest to the values. */
export function fitLine(values: Values, start: number, count: number, format: LineFormat): Line {
  const { most, stored } = format
  let best: Line = { scale: 0, offset: 0 }
  let bestError = Number.POSITIVE_INFINITY
  const consider = (candidate: Line) => {
    const line = stored(candidate)
    const error = lineError(values, start, count, most, line)
    if (error < bestError) {
      best = line
      bestError = error
    }
  }
  const { origin, width } = rangeOf(values, start, count, format)
  consider({ scale: width / most, offset: origin })
  if (width === 0) return best
  let sum = 0
  for (let i = start; i < start + count; i++) sum += values[i]!
  for (let trial = -numTrials; trial <= numTrials; trial++) {
    const inverse = (most + trialStep * trial) / width
    let qs = 0
    let squares = 0
    let products = 0
    for (let i = start; i < start + count; i++) {
      const q = nearest((values[i]! - origin) * inverse, 0, most)
      qs += q
      squares += q * q
      products += values[i]! * q
    }
    const determinant = count * squares - qs * qs
    if (determinant > 0) {
      consider({
        scale: (count * products - qs * sum) / determinant,
        offset: (squares * sum - qs * products) / determinant,
      })
    }
    if (squares > 0) consider({ scale: products / squares, offset: 0 })
  }
  return best
}

/** The line from the least value, or the largest offset there may be, to the largest value. */
export function plainLine(values: Values, start: number, count: number, format: LineFormat): Line {
  const { origin, width } = rangeOf(values, start, count, format)
  return format.stored({ scale: width / format.most, offset: origin })
}

function rangeOf(values: Values, start: number, count: number, { maxOffset }: LineFormat) {
  let origin = maxOffset
  let largest = Number.NEGATIVE_INFINITY
  for (let i = start; i < start + count; i++) {
    origin = Math.min(origin, values[i]!)
    largest = Math.max(largest, values[i]!)
  }
  return { origin, width: Math.max(0, largest - origin) }
}

export function lineError(
  values: Values,
  start: number,
  count: number,
  most: number,
  { scale, offset }: Line,
): number {
  const inverse = scale === 0 ? 0 : 1 / scale
  let error = 0
  for (let i = start; i < start + count; i++) {
    const rest = values[i]! - offset - scale * nearest((values[i]! - offset) * inverse, 0, most)
    error += rest * rest
  }
  return error
}
