// Context-free grammars as data: what schemas and patterns become, and XGrammar's EBNF is written from.

/** Code points from `first` to `last`. */
export type CodePointRange = readonly [first: number, last: number]

export type Expression =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'oneOf'; readonly ranges: readonly CodePointRange[] }
  | { readonly kind: 'sequence'; readonly parts: readonly Expression[] }
  | { readonly kind: 'choice'; readonly options: readonly Expression[] }
  | { readonly kind: 'star'; readonly part: Expression }
  | { readonly kind: 'rule'; readonly name: string }

export const text = (value: string): Expression => ({ kind: 'text', text: value })
export const oneOf = (...ranges: CodePointRange[]): Expression => ({ kind: 'oneOf', ranges })
export const sequence = (...parts: Expression[]): Expression => ({ kind: 'sequence', parts })
export const choice = (...options: Expression[]): Expression =>
  options.length === 1 ? options[0]! : { kind: 'choice', options }
export const star = (part: Expression): Expression => ({ kind: 'star', part })
export const nothing = text('')
export const optional = (part: Expression): Expression => choice(part, nothing)

export interface Rules {
  /** A rule of this meaning, defined once however often it is asked for; it may refer to itself. */
  rule(meaning: string, define: () => Expression): Expression
  /**
   * `part` from `min` to `max` times. Counts past a dozen are put together from halves: XGrammar computes a mask over the vocabulary
   * for every place in a rule, which for 300 places in a row took 15 s, and for halves takes nothing.
   */
  repeat(meaning: string, part: Expression, min: number, max?: number): Expression
  /** Whether text of finite length can be derived. */
  isProductive(root: Expression): boolean
  print(root: Expression): string
}

const mostInARow = 12

export function createRules(): Rules {
  const names = new Map<string, string>()
  const bodies = new Map<string, Expression>()

  function rule(meaning: string, define: () => Expression): Expression {
    const known = names.get(meaning)
    if (known !== undefined) return { kind: 'rule', name: known }
    const name = `r${names.size}`
    names.set(meaning, name)
    bodies.set(name, define())
    return { kind: 'rule', name }
  }

  /** 2^power times. */
  const doubled = (meaning: string, part: Expression, power: number): Expression =>
    power === 0
      ? part
      : rule(`${meaning} x 2^${power}`, () => {
          const half = doubled(meaning, part, power - 1)
          return sequence(half, half)
        })

  function exactly(meaning: string, part: Expression, count: number): Expression {
    if (count <= mostInARow) return sequence(...new Array<Expression>(count).fill(part))
    const powers = Array.from({ length: 31 }, (_, power) => power).filter((power) => (count >>> power) & 1)
    return sequence(...powers.map((power) => doubled(meaning, part, power)))
  }

  function upTo(meaning: string, part: Expression, count: number): Expression {
    if (count === 0) return nothing
    return rule(`${meaning} up to ${count}`, () => {
      if (count <= mostInARow) return optional(sequence(part, upTo(meaning, part, count - 1)))
      const power = 31 - Math.clz32(count)
      const rest = sequence(doubled(meaning, part, power), upTo(meaning, part, count - 2 ** power))
      return choice(upTo(meaning, part, 2 ** power - 1), rest)
    })
  }

  return {
    rule,
    repeat(meaning, part, min, max) {
      const rest = max === undefined ? star(part) : upTo(meaning, part, max - min)
      return min === 0 ? rest : sequence(exactly(meaning, part, min), rest)
    },
    isProductive(root) {
      const productive = new Set<string>()
      const ends = (expression: Expression): boolean => {
        switch (expression.kind) {
          case 'text':
          case 'star':
            return true
          case 'oneOf':
            return expression.ranges.length > 0
          case 'sequence':
            return expression.parts.every(ends)
          case 'choice':
            return expression.options.some(ends)
          case 'rule':
            return productive.has(expression.name)
        }
      }
      for (let grew = true; grew; ) {
        grew = false
        for (const [name, body] of bodies) {
          if (productive.has(name) || !ends(body)) continue
          productive.add(name)
          grew = true
        }
      }
      return ends(root)
    },
    print(root) {
      const rules = [...bodies].map(([name, body]) => `${name} ::= ${printed(body)}`)
      return [`root ::= ${printed(root)}`, ...rules].join('\n')
    },
  }
}

function printed(expression: Expression): string {
  switch (expression.kind) {
    case 'text':
      return `"${Array.from(expression.text, (character) => escaped(character.codePointAt(0)!)).join('')}"`
    case 'oneOf':
      return printedSet(expression.ranges)
    case 'sequence':
      return expression.parts.length === 0 ? '""' : `(${expression.parts.map(printed).join(' ')})`
    case 'choice':
      return `(${expression.options.map(printed).join(' | ')})`
    case 'star':
      return `(${printed(expression.part)})*`
    case 'rule':
      return expression.name
  }
}

const lastCodePoint = 0x10ffff
/** Written one by one, at most; a set with more of them, but not all, goes without them. */
const mostSpelled = 128

/**
 * XGrammar 0.1.27 takes ranges past ASCII for something else; a negated set of ASCII is right, and so are single characters.
 * A set that can be said in neither way keeps what can: what it then allows is still in it.
 */
function printedSet(ranges: readonly CodePointRange[]): string {
  const holds = (codePoint: number) => ranges.some(([first, last]) => codePoint >= first && codePoint <= last)
  const ascii = Array.from({ length: 128 }, (_, codePoint) => codePoint)
  const others = ranges
    .map(([first, last]): CodePointRange => [Math.max(first, 128), last])
    .filter(([first, last]) => first <= last)
  if (ranges.some(([first, last]) => first <= 128 && last === lastCodePoint)) {
    return `[^${ascii
      .filter((codePoint) => !holds(codePoint))
      .map(escaped)
      .join('')}]`
  }
  const listed = others.reduce((sum, [first, last]) => sum + last - first + 1, 0)
  const spelled = listed > mostSpelled ? [] : others.flatMap(([first, last]) => spread(first, last))
  const kept = ascii.filter(holds)
  const parts = [
    ...(kept.length > 0 ? [`[${kept.map(escaped).join('')}]`] : []),
    ...spelled.map((codePoint) => `"${escaped(codePoint)}"`),
  ]
  return `(${parts.join(' | ')})`
}

const spread = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i)

function escaped(codePoint: number): string {
  const character = String.fromCodePoint(codePoint)
  return /[A-Za-z0-9]/.test(character)
    ? character
    : `\\U${codePoint.toString(16).toUpperCase().padStart(8, '0')}`
}
