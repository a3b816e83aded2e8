import { expect, test } from 'vitest'
import { pythonText, type TemplateRuntimeValue } from './python-text.ts'

const value = (given: unknown): TemplateRuntimeValue => {
  if (given === null) return { type: 'NullValue', value: null }
  if (typeof given === 'string') return { type: 'StringValue', value: given }
  if (typeof given === 'boolean') return { type: 'BooleanValue', value: given }
  if (Array.isArray(given)) return { type: 'ArrayValue', value: given.map(value) }
  if (typeof given !== 'object') return Object.assign(Object(given), { type: 'IntegerValue', value: given })
  const entries = Object.entries(given).map(([key, entry]): [string, unknown] => [key, value(entry)])
  return { type: 'ObjectValue', value: new Map(entries) }
}

// Python 3.11's str().
test.each([
  ["it's", "it's"],
  [null, 'None'],
  [true, 'True'],
  [[1, 'a', false, null], "[1, 'a', False, None]"],
  [{ name: 'get', deep: { list: [], none: {} } }, "{'name': 'get', 'deep': {'list': [], 'none': {}}}"],
  [["it's", 'say "it"', `it's "it"`], `["it's", 'say "it"', 'it\\'s "it"']`],
  [
    ['a\n\t\\b\u0000\u00a0\u200b°\u{1f642}\u{e0001}'],
    "['a\\n\\t\\\\b\\x00\\xa0\\u200b°\u{1f642}\\U000e0001']",
  ],
])('%j', (given, expected) => {
  expect(pythonText(value(given))).toBe(expected)
})
