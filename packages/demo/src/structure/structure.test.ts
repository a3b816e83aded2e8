import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatJson } from './format-json.ts'
import { jsonProblem } from './json-problem.ts'

test.each([
  ['', 'end', 1, 1],
  ['{', 'end', 1, 2],
  ['{"a": 1,\n  }', 'key', 2, 3],
  ['{"a" 1}', 'colon', 1, 6],
  ['{"a": 1 "b": 2}', 'comma', 1, 9],
  ['[1, 2', 'end', 1, 6],
  ['[1,]', 'value', 1, 4],
  ['{"a": undefined}', 'value', 1, 7],
  ["{'a': 1}", 'key', 1, 2],
  ['"a\\x"', 'string', 1, 3],
  ['"a\nb"', 'string', 1, 3],
  ['{} {}', 'rest', 1, 4],
  ['01', 'rest', 1, 2],
  ['[\n  1,\n  2,\n  tru\n]', 'value', 4, 3],
  ['['.repeat(300), 'depth', 1, 201],
])('%j is no JSON: %s at %d:%d', (text, kind, line, column) => {
  expect(jsonProblem(text)).toEqual({ kind, line, column })
})

/** JSON, and JSON with a letter changed. */
const nearJson = fc.oneof(
  fc.json(),
  fc.tuple(fc.json(), fc.nat(), fc.string({ maxLength: 2 })).map(([text, place, letters]) => {
    const at = place % (text.length + 1)
    return text.slice(0, at) + letters + text.slice(at + 1)
  }),
)

test('what is JSON and what is not is what the browser says', () => {
  fc.assert(
    fc.property(nearJson, (text) => {
      let parses = true
      try {
        JSON.parse(text)
      } catch {
        parses = false
      }
      expect(jsonProblem(text) === undefined).toBe(parses)
    }),
    { numRuns: 1000 },
  )
})

test('JSON is laid out as JSON.stringify does, and numbers keep their digits', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1, '\t'), (value, space) => {
      // -0 is written 0.
      const text = JSON.stringify(value, null, space)
      expect(formatJson(text)).toBe(JSON.stringify(JSON.parse(text), null, 2))
    }),
  )
  expect(formatJson('{"n":12345678901234567890.10}')).toBe('{\n  "n": 12345678901234567890.10\n}')
})

test('what is formatted of a beginning begins what is formatted of the whole', () => {
  fc.assert(
    fc.property(fc.json(), fc.nat(), (text, place) => {
      const whole = formatJson(text)
      expect(whole.startsWith(formatJson(text.slice(0, place % (text.length + 1))))).toBe(true)
    }),
  )
})
