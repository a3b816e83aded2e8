const count = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })

/** "1,234". */
export function formatCount(value: number): string {
  return count.format(value)
}

/** Decimal units, as download sizes are written: 999 bytes, "98 MB", "1.2 GB". One decimal below ten. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} B`
  const units = ['kB', 'MB', 'GB', 'TB']
  let value = bytes / 1000
  let unit = 0
  // 999.5 would round up to "1000".
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${value < 9.95 ? value.toFixed(1) : count.format(value)} ${units[unit]}`
}

/** "62 of 98 MB": both in the unit of the whole, so that the first figure only ever grows. */
export function formatBytesOf(loaded: number, total: number): string {
  const whole = formatBytes(total)
  const unit = whole.slice(whole.indexOf(' ') + 1)
  const scale = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 }[unit] ?? 1
  const value = loaded / scale
  return `${whole.includes('.') ? value.toFixed(1) : count.format(Math.floor(value))} of ${whole}`
}

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
  return `${seconds < 9.995 ? seconds.toFixed(2) : seconds.toFixed(1)} s`
}

/** "94 tokens/s", "6.3 tokens/s". */
export function formatRate(tokensPerSecond: number): string {
  return `${formatSpeed(tokensPerSecond)} tokens/s`
}

/** The figure of a rate alone: one decimal below a hundred. */
export function formatSpeed(tokensPerSecond: number): string {
  return tokensPerSecond < 99.95 ? tokensPerSecond.toFixed(1) : count.format(tokensPerSecond)
}
