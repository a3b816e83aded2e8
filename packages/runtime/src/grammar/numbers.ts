import { choice, type Expression, oneOf, type Rules, sequence, text } from './expression.ts'

const digits = (rules: Rules, min: number, max: number) =>
  rules.repeat('digit', oneOf([0x30, 0x39]), min, max)

/** What JSON numbers are exact to. */
const mostDigits = 15
const safe = 10 ** mostDigits - 1

/** Whole numbers from `least` to `most`, both included; of at most 15 digits. Nothing where there are none. */
export function integers(rules: Rules, least = -safe, most = safe): Expression | undefined {
  const [low, high] = [Math.max(Math.ceil(least), -safe), Math.min(Math.floor(most), safe)]
  if (!(low <= high)) return undefined
  return rules.rule(`integers ${low} to ${high}`, () => {
    const options: Expression[] = []
    if (low < 0) options.push(sequence(text('-'), naturals(rules, Math.max(1, -high), -low)))
    if (high >= 0) options.push(naturals(rules, Math.max(0, low), high))
    return choice(...options)
  })
}

/** 0 <= low <= high: by the number of digits, then digit by digit. */
function naturals(rules: Rules, low: number, high: number): Expression {
  const options: Expression[] = []
  for (let length = String(low).length; length <= String(high).length; length++) {
    const first = Math.max(low, length === 1 ? 0 : 10 ** (length - 1))
    const last = Math.min(high, 10 ** length - 1)
    options.push(sameLength(rules, String(first), String(last)))
  }
  return choice(...options)
}

function sameLength(rules: Rules, low: string, high: string): Expression {
  if (low === '') return text('')
  const rest = low.length - 1
  const [lowTail, highTail] = [low.slice(1), high.slice(1)]
  const [lowDigit, highDigit] = [low.charCodeAt(0), high.charCodeAt(0)]
  if (lowDigit === highDigit) return sequence(text(low[0]!), sameLength(rules, lowTail, highTail))
  const zeros = '0'.repeat(rest)
  const nines = '9'.repeat(rest)
  const options: Expression[] = []
  const [from, to] = [
    lowTail === zeros ? lowDigit : lowDigit + 1,
    highTail === nines ? highDigit : highDigit - 1,
  ]
  if (from > lowDigit) options.push(sequence(text(low[0]!), sameLength(rules, lowTail, nines)))
  if (from <= to) options.push(sequence(oneOf([from, to]), digits(rules, rest, rest)))
  if (to < highDigit) options.push(sequence(text(high[0]!), sameLength(rules, zeros, highTail)))
  return choice(...options)
}

export interface Bounds {
  readonly least?: number | undefined
  readonly most?: number | undefined
  /** Bounds that are not themselves in. */
  readonly above?: number | undefined
  readonly below?: number | undefined
}

/** Whole numbers within bounds; nothing where there are none. */
export function boundedIntegers(rules: Rules, { least, most, above, below }: Bounds): Expression | undefined {
  const low = Math.max(least ?? -safe, above === undefined ? -safe : Math.floor(above) + 1)
  const high = Math.min(most ?? safe, below === undefined ? safe : Math.ceil(below) - 1)
  return integers(rules, low, high)
}

/**
 * Numbers within bounds, whole or with a fraction whose last digit is not 0. Fractions go with whole parts that both bounds
 * leave room beside: between 0.5 and 2 there are 1, 1.25 and 2, and not 0.75.
 */
export function boundedNumbers(rules: Rules, bounds: Bounds): Expression | undefined {
  const { least, most, above, below } = bounds
  const low = Math.max(least ?? -safe, above ?? -safe)
  const high = Math.min(most ?? safe, below ?? safe)
  const fraction = rules.rule('fraction', () => sequence(text('.'), digits(rules, 0, 5), oneOf([0x31, 0x39])))
  const options: Expression[] = []
  const whole = boundedIntegers(rules, bounds)
  if (whole) options.push(whole)
  const positive = integers(rules, Math.max(0, low), high - 1)
  const negative = integers(rules, Math.max(0, -high), -low - 1)
  if (positive) options.push(sequence(positive, fraction))
  if (negative) options.push(sequence(text('-'), negative, fraction))
  return options.length === 0
    ? undefined
    : rules.rule(`numbers ${JSON.stringify(bounds)}`, () => choice(...options))
}
