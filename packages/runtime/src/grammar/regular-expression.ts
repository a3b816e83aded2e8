import { BrasaError } from '../errors.ts'
import { complement, type Spelling } from './characters.ts'
import { type CodePointRange, choice, type Expression, nothing, type Rules, sequence } from './expression.ts'

const maxLength = 2000
const maxRepeats = 1000
const maxDepth = 50
const digit: CodePointRange[] = [[0x30, 0x39]]
const word: CodePointRange[] = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
]
const space: CodePointRange[] = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
]
const lineEnds: CodePointRange[] = [
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
]
const classes: Readonly<Record<string, CodePointRange[]>> = {
  d: digit,
  w: word,
  s: space,
  D: complement(digit),
  W: complement(word),
  S: complement(space),
}
const controls: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13, 0: 0 }

/**
 * The texts that a JavaScript pattern matches, as a grammar. Without lookaround, back references, word boundaries and Unicode
 * properties, which no such grammar can say or XGrammar does not know.
 * @param around what may stand before and after a match that `^` and `$` do not hold to the ends
 * @throws BrasaError `invalid_request` that names what is not supported
 */
export function regularExpression(
  pattern: string,
  rules: Rules,
  spell: Spelling,
  around: Expression = nothing,
): Expression {
  const characters = Array.from(pattern)
  let at = 0
  let depth = 0
  const refuse = (what: string) =>
    new BrasaError('invalid_request', {
      message: `The pattern ${JSON.stringify(pattern.slice(0, 80))} has ${what}, which is not supported. Write it without.`,
    })
  if (characters.length > maxLength) throw refuse(`${characters.length} characters, more than ${maxLength}`)
  const takes = (wanted: string) => {
    const found = characters.slice(at, at + wanted.length).join('') === wanted
    if (found) at += wanted.length
    return found
  }

  function disjunction(isOutermost: boolean): Expression {
    depth += 1
    if (depth > maxDepth) throw refuse(`groups nested ${maxDepth} deep`)
    const options = [alternative(isOutermost)]
    while (takes('|')) options.push(alternative(isOutermost))
    depth -= 1
    return choice(...options)
  }

  function alternative(isOutermost: boolean): Expression {
    const parts: Expression[] = []
    const isAtStart = isOutermost && takes('^')
    let isAtEnd = false
    while (at < characters.length && characters[at] !== '|' && characters[at] !== ')') {
      if (isOutermost && takes('$')) {
        isAtEnd = true
        break
      }
      parts.push(term())
    }
    if (isAtEnd && at < characters.length && characters[at] !== '|') throw refuse('"$" before its end')
    if (!isOutermost) return sequence(...parts)
    return sequence(isAtStart ? nothing : around, ...parts, isAtEnd ? nothing : around)
  }

  function term(): Expression {
    const start = at
    const part = atom()
    const meaning = `/${characters.slice(start, at).join('')}/`
    const [min, max] = quantifier()
    if (min === 1 && max === 1) return part
    if (Math.max(min, max ?? 0) > maxRepeats) throw refuse(`a count above ${maxRepeats}`)
    if (max !== undefined && max < min) throw refuse('a count that is less than its least')
    return rules.repeat(
      meaning,
      rules.rule(meaning, () => part),
      min,
      max,
    )
  }

  function quantifier(): readonly [min: number, max: number | undefined] {
    const counts = takes('*')
      ? ([0, undefined] as const)
      : takes('+')
        ? ([1, undefined] as const)
        : takes('?')
          ? ([0, 1] as const)
          : braces()
    // Lazy or not, the texts are the same.
    if (counts) takes('?')
    return counts ?? [1, 1]
  }

  function braces(): readonly [number, number | undefined] | undefined {
    const found = /^\{(\d{1,6})(,(\d{1,6})?)?\}/.exec(characters.slice(at, at + 20).join(''))
    if (!found) return undefined
    at += found[0].length
    const min = Number(found[1])
    return [min, found[2] === undefined ? min : found[3] === undefined ? undefined : Number(found[3])]
  }

  function atom(): Expression {
    const character = characters[at++]!
    if (character === '(') {
      if (takes('?') && !takes(':')) {
        const named = /^<[A-Za-z_$][\w$]*>/.exec(characters.slice(at, at + 80).join(''))
        if (!named) throw refuse('a lookaround or a flag')
        at += named[0].length
      }
      const group = disjunction(false)
      if (!takes(')')) throw refuse('a group without its end')
      return group
    }
    if (character === '[') return spell(characterClass())
    if (character === '.') return spell(complement(lineEnds))
    if (character === '\\') return spell(escaped())
    if ('^$*+?{'.includes(character)) throw refuse(`"${character}" in this place`)
    return spell([[character.codePointAt(0)!, character.codePointAt(0)!]])
  }

  function escaped(): CodePointRange[] {
    const character = characters[at++]
    if (character === undefined) throw refuse('a backslash at its end')
    if (Object.hasOwn(classes, character)) return classes[character]!
    if (Object.hasOwn(controls, character)) return [[controls[character]!, controls[character]!]]
    const hex = { x: /^[0-9a-f]{2}/i, u: /^(?:[0-9a-f]{4}|\{[0-9a-f]{1,6}\})/i }[character]
    const digits = hex?.exec(characters.slice(at, at + 8).join(''))?.[0]
    if (digits !== undefined) {
      at += digits.length
      const codePoint = Number.parseInt(digits.replace(/[{}]/g, ''), 16)
      if (codePoint > 0x10ffff || (codePoint >= 0xd800 && codePoint < 0xe000))
        throw refuse(`\\${character}${digits}`)
      return [[codePoint, codePoint]]
    }
    if (/[A-Za-z0-9]/.test(character)) throw refuse(`\\${character}`)
    return [[character.codePointAt(0)!, character.codePointAt(0)!]]
  }

  function characterClass(): CodePointRange[] {
    const isNegated = takes('^')
    const ranges: CodePointRange[] = []
    const member = (): CodePointRange[] => {
      const character = characters[at++]
      if (character === undefined) throw refuse('a class without its end')
      if (character === '\\') return takes('b') ? [[8, 8]] : escaped()
      return [[character.codePointAt(0)!, character.codePointAt(0)!]]
    }
    while (!takes(']')) {
      const from = member()
      if (characters[at] !== '-' || characters[at + 1] === ']') {
        ranges.push(...from)
        continue
      }
      at += 1
      const to = member()
      const [first, last] = [from[0]![0], to[0]![1]]
      const isRange =
        from.length === 1 && to.length === 1 && from[0]![0] === from[0]![1] && to[0]![0] === to[0]![1]
      if (!isRange || first > last) throw refuse('a range without two ends')
      ranges.push([first, last])
    }
    const set = isNegated ? complement(ranges) : ranges
    if (set.length === 0) throw refuse('a class of nothing')
    return set
  }

  const all = disjunction(true)
  if (at < characters.length) throw refuse('a ")" without its beginning')
  return all
}
