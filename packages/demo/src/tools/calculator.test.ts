import fc from 'fast-check'
import { expect, test } from 'vitest'
import { calculate, formatValue } from './calculator.ts'
import { ToolError } from './tool-error.ts'

test.each([
  ['6*7', '42'],
  ['2 + 3 * 4', '14'],
  ['(2 + 3) * 4', '20'],
  ['-2^2', '-4'],
  ['2^-1', '0.5'],
  ['2^3^2', '512'],
  ['2**10', '1024'],
  ['--3', '3'],
  ['7 % 4', '3'],
  ['0.1 + 0.2', '0.3'],
  ['1,234,567 + 1', '1234568'],
  ['12 × 3 ÷ 4 − 1', '8'],
  ['sqrt(16) + max(1, 2, 3)', '7'],
  ['max(1,2)', '2'],
  ['max(1,234)', '234'],
  ['round(2.345, 2)', '2.35'],
  ['log(100)', '2'],
  ['log(8, 2)', '3'],
  ['2 * PI', '6.28318530718'],
  ['1.5e3 / 3', '500'],
  ['.5 + .5', '1'],
  ['9007199254740991', '9007199254740991'],
  ['12 * 12 = ?', '144'],
  ['0 * -1', '0'],
])('%s is %s', (expression, value) => {
  expect(formatValue(calculate(expression))).toBe(value)
})

test.each([
  ['', /ends where a number/],
  ['1 +', /ends where a number/],
  ['1 / 0', /divided by zero/],
  ['5 % 0', /divided by zero/],
  ['2 3', /"3" stands where an operator/],
  ['(1', /ends where "\)"/],
  ['1)', /"\)" stands where an operator/],
  ['sqrt(-1)', /no value/],
  ['10^999', /too large/],
  ['sqrt(1, 2)', /takes one number/],
  ['sqrt 4', /"4" stands where "\("/],
  ['alert(1)', /"alert" is not known/],
  ['constructor', /"constructor" is not known/],
  ['1; 2', /";" stands where/],
  ['("a")', /stands where/],
  [`${'('.repeat(400)}1`, /too many brackets/],
  ['-'.repeat(400), /too many brackets/],
  ['9'.repeat(501), /longer than 500/],
])('%s is refused in a sentence', (expression, sentence) => {
  expect(() => calculate(expression)).toThrow(ToolError)
  expect(() => calculate(expression)).toThrow(sentence)
})

/** An expression in full brackets, with the value that JavaScript gives it. */
const { tree } = fc.letrec<{ tree: { text: string; value: number } }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5 },
    fc.integer({ min: 0, max: 999 }).map((value) => ({ text: String(value), value })),
    fc.tuple(tie('tree'), fc.constantFrom('+', '-', '*'), tie('tree')).map(([left, sign, right]) => ({
      text: `(${left.text} ${sign} ${right.text})`,
      value:
        sign === '+'
          ? left.value + right.value
          : sign === '-'
            ? left.value - right.value
            : left.value * right.value,
    })),
    tie('tree').map(({ text, value }) => ({ text: `-${text}`, value: -value })),
  ),
}))

test('expressions have the value that arithmetic gives them', () => {
  fc.assert(
    fc.property(tree, ({ text, value }) => {
      fc.pre(text.length <= 500)
      expect(calculate(text)).toBe(value)
    }),
  )
})

test('any text has a finite value or is refused, and nothing else happens', () => {
  const letters = fc.constantFrom(...'0123456789.,+-*/%^()[]e ×÷−sqrtminlogpi='.split(''))
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: letters, maxLength: 60 }), fc.string()), (text) => {
      try {
        expect(Number.isFinite(calculate(text))).toBe(true)
      } catch (error) {
        expect(error).toBeInstanceOf(ToolError)
      }
    }),
    { numRuns: 1000 },
  )
})
