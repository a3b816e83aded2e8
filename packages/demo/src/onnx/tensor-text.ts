import type { Tensor } from '@brasa/runtime'
import { formatCount, formatMeasured } from '../format/units.ts'
import { float16Value } from './float16.ts'

export interface TensorText {
  /** The first values, comma-separated. */
  readonly first: string
  /** How many values more there are. */
  readonly rest: number
  /** Of a tensor of two or more numbers. */
  readonly range?: { readonly min: string; readonly max: string; readonly mean: string }
}

const maxShown = 12

export function describeTensor({ type, data }: Tensor): TensorText {
  const shown = Array.from({ length: Math.min(maxShown, data.length) }, (_, at) => data[at]!)
  const rest = data.length - shown.length
  if (type === 'string') return { first: shown.map((value) => JSON.stringify(value)).join(', '), rest }
  const decode = (value: number | bigint | string) =>
    type === 'float16' ? float16Value(Number(value)) : Number(value)
  const first = shown
    .map((value) => (typeof value === 'bigint' ? String(value) : formatValue(decode(value))))
    .join(', ')
  if (type === 'bool' || data.length < 2) return { first, rest }
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  let sum = 0
  for (const element of data) {
    const value = decode(element)
    // Comparisons pass over NaN; the mean does not.
    if (value < min) min = value
    if (value > max) max = value
    sum += value
  }
  return {
    first,
    rest,
    range: { min: formatValue(min), max: formatValue(max), mean: formatValue(sum / data.length) },
  }
}

/** Five significant digits, which is what a glance takes in. */
export function formatValue(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(5)))
}

/** A time that was measured: "8 ms", "1.24 s". */
export function formatTaken(ms: number): string {
  if (ms < 9.95) return `${ms.toFixed(1)} ms`
  return ms < 999.5 ? `${formatCount(ms)} ms` : formatMeasured(ms)
}
