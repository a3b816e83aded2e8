import { ToolError } from './tool-error.ts'

/**
 * A calculator for one line: + - * / % ^, brackets, constants and functions. A parser of its own, by recursive descent with one
 * function a rank of operators: what a model writes is never run as code.
 */

const maxLength = 500
const maxDepth = 60

const constants: Readonly<Record<string, number>> = { pi: Math.PI, π: Math.PI, e: Math.E, tau: 2 * Math.PI }

const functions: Readonly<Record<string, (...numbers: number[]) => number>> = {
  sqrt: Math.sqrt,
  cbrt: Math.cbrt,
  abs: Math.abs,
  round: (value, digits = 0) => Math.round(value * 10 ** digits) / 10 ** digits,
  floor: Math.floor,
  ceil: Math.ceil,
  min: Math.min,
  max: Math.max,
  exp: Math.exp,
  ln: Math.log,
  log: (value, base = 10) => (base === 10 ? Math.log10(value) : Math.log(value) / Math.log(base)),
  log2: Math.log2,
  log10: Math.log10,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  pow: (base, exponent) => base ** exponent,
}

/** How many numbers each takes: `[least, most]`. */
const arity = (name: string): readonly [number, number] => {
  if (name === 'min' || name === 'max') return [1, 100]
  if (name === 'round' || name === 'log') return [1, 2]
  return name === 'pow' ? [2, 2] : [1, 1]
}

/** @throws ToolError */
export function calculate(expression: string): number {
  if (expression.length > maxLength) {
    throw new ToolError(`The expression is longer than ${maxLength} characters.`)
  }
  const tokens = tokenize(expression)
  let at = 0
  let depth = 0

  const peek = () => tokens[at]
  const take = (...wanted: string[]) => {
    const token = tokens[at]
    if (token === undefined || !wanted.includes(token)) return undefined
    at += 1
    return token
  }
  const expect = (wanted: string) => {
    if (take(wanted) === undefined) throw unexpected(peek(), `"${wanted}"`)
  }

  function sum(): number {
    let value = product()
    for (let sign = take('+', '-'); sign !== undefined; sign = take('+', '-')) {
      const other = product()
      value = sign === '+' ? value + other : value - other
    }
    return value
  }

  function product(): number {
    let value = signed()
    for (let sign = take('*', '/', '%'); sign !== undefined; sign = take('*', '/', '%')) {
      const other = signed()
      if (other === 0 && sign !== '*') throw new ToolError('Nothing can be divided by zero.')
      value = sign === '*' ? value * other : sign === '/' ? value / other : value % other
    }
    return value
  }

  /** A sign binds less than a power: -2^2 is -4. */
  function signed(): number {
    deeper()
    const sign = take('+', '-')
    const value = sign === undefined ? power() : sign === '-' ? -signed() : signed()
    depth -= 1
    return value
  }

  /** Powers go from right to left. */
  function power(): number {
    const base = factor()
    return take('^') === undefined ? base : base ** signed()
  }

  function factor(): number {
    const token = peek()
    if (token === undefined) throw unexpected(token, 'a number')
    if (take('(') !== undefined) {
      const value = sum()
      expect(')')
      return value
    }
    if (/^[\d.]/.test(token)) {
      at += 1
      return Number(token)
    }
    if (!/^[a-zπ]/.test(token)) throw unexpected(token, 'a number')
    at += 1
    if (Object.hasOwn(constants, token)) return constants[token]!
    if (Object.hasOwn(functions, token)) return call(token)
    throw new ToolError(
      `"${token}" is not known. Use numbers, + - * / % ^, brackets, and ${Object.keys(functions).join(', ')}.`,
    )
  }

  function call(name: string): number {
    expect('(')
    const numbers = [sum()]
    while (take(',') !== undefined) numbers.push(sum())
    expect(')')
    const [least, most] = arity(name)
    if (numbers.length < least || numbers.length > most) {
      const wanted = most === 1 ? 'one number' : `${least === most ? least : `${least} to ${most}`} numbers`
      throw new ToolError(`"${name}" takes ${wanted}.`)
    }
    return functions[name]!(...numbers)
  }

  function deeper() {
    depth += 1
    if (depth > maxDepth) throw new ToolError('The expression has too many brackets in one another.')
  }

  const value = sum()
  if (at < tokens.length) throw unexpected(peek(), 'an operator')
  if (Number.isNaN(value)) throw new ToolError('The expression has no value among the real numbers.')
  if (!Number.isFinite(value)) throw new ToolError('The value is too large.')
  return value
}

/** A value as a person writes it: what floating point adds past twelve digits is left out. */
export function formatValue(value: number): string {
  const rounded = Number(value.toPrecision(12))
  return Number.isSafeInteger(value) ? String(value) : String(Object.is(rounded, -0) ? 0 : rounded)
}

const spellings: Readonly<Record<string, string>> = {
  '×': '*',
  '·': '*',
  '÷': '/',
  '−': '-',
  '–': '-',
  '[': '(',
  ']': ')',
}

function tokenize(expression: string): readonly string[] {
  const plain = withoutGroups(
    expression
      .toLowerCase()
      .replaceAll('**', '^')
      .replace(/[×·÷−–[\]]/g, (letter) => spellings[letter]!)
      .replace(/\s*=\s*\??\s*$/, ''),
  )
  const tokens: string[] = []
  const pattern = /\s*(\d+(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?|[a-z][a-z0-9]*|π|[-+*/%^(),])/y
  while (pattern.lastIndex < plain.trimEnd().length) {
    const start = pattern.lastIndex
    const found = pattern.exec(plain)
    if (found === null) throw unexpected(plain.slice(start).trimStart()[0], 'a number or an operator')
    tokens.push(found[1]!)
  }
  return tokens
}

/** Thousands may be grouped as people do, 1,234,567, where no function has arguments that commas part. */
function withoutGroups(plain: string): string {
  if (/[a-z]\s*\(/.test(plain)) return plain
  return plain.replace(/(?<![\d.])\d{1,3}(?:,\d{3})+(?![\d,])/g, (number) => number.replaceAll(',', ''))
}

function unexpected(token: string | undefined, wanted: string): ToolError {
  return new ToolError(
    token === undefined
      ? `The expression ends where ${wanted} is expected.`
      : `"${token}" stands where ${wanted} is expected.`,
  )
}
