import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { randomSchema } from './random-schema.test-support.ts'
import { structureOf } from './structure.ts'

const compile = (schema: unknown) => structureOf({ type: 'json_schema', schema })

describe('what is not supported is refused by name', () => {
  test.each<[string, unknown, RegExp]>([
    ['a keyword', { type: 'integer', multipleOf: 3 }, /"multipleOf"/],
    [
      'a keyword within',
      { type: 'object', properties: { a: { not: {} } } },
      /#\/properties\/a has the keyword "not"/,
    ],
    ['a keyword of another type', { type: 'integer', maxLength: 3 }, /"maxLength".*in this place/],
    ['uniqueItems', { type: 'array', uniqueItems: true }, /"uniqueItems"/],
    ['if', { if: { type: 'integer' } }, /"if"/],
    ['allOf', { allOf: [{ type: 'integer' }, { minimum: 3 }] }, /"allOf"/],
    ['a oneOf that may be both', { oneOf: [{ type: 'integer' }, { type: 'number' }] }, /"oneOf"/],
    ['a format', { type: 'string', format: 'iri' }, /"iri"/],
    ['a pattern with a lookahead', { type: 'string', pattern: '^(?=a)' }, /lookaround/],
    ['a remote reference', { $ref: 'https://example.com/schema.json' }, /only what begins with "#"/],
    ['a reference to nothing', { $ref: '#/$defs/none' }, /not there/],
    [
      'references in a circle',
      { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } },
      /refers to itself/,
    ],
    ['a reference to itself', { $ref: '#' }, /refers to itself/],
    [
      'a recursion without end',
      { type: 'object', properties: { a: { $ref: '#' } }, required: ['a'] },
      /without end/,
    ],
    ['nothing', false, /nothing satisfies/],
    ['no integer between', { type: 'integer', minimum: 3, maximum: 2 }, /bounds/],
    ['an enum of another type', { type: 'integer', enum: ['a'] }, /allows no value/],
    ['no schema', 'integer', /no schema/],
    ['a number that is none', { type: 'integer', minimum: Number.NaN }, /not JSON/],
    [
      '10,000 values',
      { enum: Array.from({ length: 10_000 }, (_, i) => `value-${i}`) },
      /more than 5000 values/,
    ],
    ['10 MB', { type: 'string', description: 'x'.repeat(10_000_000) }, /characters, more than/],
    [
      'deep nesting',
      Array.from({ length: 100_000 }).reduce<object>((items) => ({ type: 'array', items }), {}),
      /nested more than/,
    ],
    ['long patterns', { type: 'string', pattern: 'a'.repeat(100_000) }, /characters, more than 2000/],
  ])('%s', (_, schema, message) => {
    const startMs = performance.now()
    expect(() => compile(schema)).toThrow(message)
    expect(performance.now() - startMs).toBeLessThan(10_000)
  })
})

test('a recursion that can end, many properties, and what schema writers leave in are taken', () => {
  compile({
    $ref: '#/$defs/tree',
    $defs: { tree: { type: 'object', properties: { left: { $ref: '#/$defs/tree' } } } },
  })
  compile({ $schema: 'x', title: 'A', description: 'b', default: 3, type: 'integer' })
  const properties = Object.fromEntries(
    Array.from({ length: 4000 }, (_, i) => [`p${i}`, { type: 'integer' }]),
  )
  compile({ type: 'object', properties, required: ['p7'] })
})

test('every schema of the supported kind has a grammar', () => {
  fc.assert(
    fc.property(randomSchema(3), (schema) => {
      expect(compile(schema).kind).toBe('grammar')
    }),
    { numRuns: 500 },
  )
})
