import { language, words } from '../words/words.ts'

const counts = new Map<string, Intl.NumberFormat>()

/** In the digits and marks of the page's language. */
function digits(value: number, decimals = 0): string {
  const key = `${language.value} ${decimals}`
  const format =
    counts.get(key) ??
    new Intl.NumberFormat(language.value, {
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals,
      // Spanish leaves four digits together otherwise: 8192 beside 16.384.
      useGrouping: 'always',
    })
  counts.set(key, format)
  return format.format(value)
}

/** "1,234". */
export function formatCount(value: number): string {
  return digits(value)
}

/** Decimal units, as download sizes are written: 999 bytes, "98 MB", "1.2 GB". One decimal below ten. */
export function formatBytes(bytes: number): string {
  const { value, unit } = inUnits(bytes)
  return `${digits(value, decimalsOf(value, unit))} ${unit}`
}

/** "62 of 98 MB": both in the unit of the whole, so that the first figure only ever grows. */
export function formatBytesOf(loaded: number, total: number): string {
  const { value, unit } = inUnits(total)
  const part = loaded / 1000 ** units.indexOf(unit)
  const decimals = decimalsOf(value, unit)
  const figure = decimals === 0 ? digits(Math.floor(part)) : digits(part, decimals)
  return words.value.units.of(figure, `${digits(value, decimals)} ${unit}`)
}

const units = ['B', 'kB', 'MB', 'GB', 'TB']

function inUnits(bytes: number): { readonly value: number; readonly unit: string } {
  let value = bytes
  let unit = 0
  // 999.5 would round up to "1000".
  while (value >= (unit === 0 ? 1000 : 999.5) && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  return { value, unit: units[unit]! }
}

const decimalsOf = (value: number, unit: string) => (unit !== 'B' && value < 9.95 ? 1 : 0)

/** A wait for a person: "4 s", "2 min 5 s", "1 h 12 min". */
export function formatWait(seconds: number): string {
  const whole = Math.max(1, Math.round(seconds))
  if (whole < 60) return `${whole} s`
  if (whole < 3600)
    return whole % 60 === 0 ? `${whole / 60} min` : `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
}

/** A short measured time, given in ms: "0.31 s", "12.4 s". */
export function formatMeasured(ms: number): string {
  const seconds = ms / 1000
  return `${digits(seconds, seconds < 9.995 ? 2 : 1)} s`
}

/** "94 tokens/s", "6.3 tokens/s". */
export function formatRate(tokensPerSecond: number): string {
  return words.value.units.tokensPerSecond(formatSpeed(tokensPerSecond))
}

/** The figure of a rate alone: one decimal below a hundred. */
export function formatSpeed(tokensPerSecond: number): string {
  return digits(tokensPerSecond, tokensPerSecond < 99.95 ? 1 : 0)
}
