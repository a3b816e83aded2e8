import type { StructuredFormat } from '../protocol.ts'

const tree = { type: 'object', properties: { a: { $ref: '#' }, b: { $ref: '#' } } }
const nested = (count: number) =>
  Array.from({ length: count }).reduce<object>((inner) => ({ type: 'array', items: inner, minItems: 1 }), {})
const values = (count: number, attempt: number) =>
  Array.from({ length: count }, (_, i) => `value ${i} ${attempt}`)

/** Formats that are to be answered or refused soon. What is compiled is kept: each `attempt` makes another one of its kind. */
export const hostileFormats: readonly (readonly [
  name: string,
  formatOf: (attempt: number) => StructuredFormat,
])[] = [
  [
    'a recursive schema',
    (attempt) => ({
      type: 'json_schema',
      schema: { ...tree, properties: { ...tree.properties, c: { const: attempt } } },
    }),
  ],
  ['a recursion without end', () => ({ type: 'json_schema', schema: { ...tree, required: ['a'] } })],
  ['10,000 values', (attempt) => ({ type: 'json_schema', schema: { enum: values(10_000, attempt) } })],
  ['4,000 values', (attempt) => ({ type: 'json_schema', schema: { enum: values(4000, attempt) } })],
  [
    'a catastrophic pattern',
    (attempt) => ({ type: 'json_schema', schema: { type: 'string', pattern: `^((a+)+)+${attempt}$` } }),
  ],
  [
    'catastrophic alternatives',
    (attempt) => ({ type: 'regex', pattern: `((.|a|[a-z])*)*(.*.*.*)*!${attempt}` }),
  ],
  [
    'counts of counts',
    (attempt) => ({ type: 'regex', pattern: `((([a-z]{1,${900 + attempt}}){1,900}){1,900}){1,900}` }),
  ],
  [
    'long strings',
    (attempt) => ({
      type: 'json_schema',
      schema: { type: 'string', minLength: 9000 + attempt, maxLength: 10_000 },
    }),
  ],
  ['10 MB', () => ({ type: 'json_schema', schema: { title: 'x'.repeat(10_000_000) } })],
  ['deep nesting', () => ({ type: 'json_schema', schema: nested(2000) })],
  [
    'nesting that is just let through',
    (attempt) => ({ type: 'json_schema', schema: { ...nested(30), maxItems: 2 + attempt } }),
  ],
  ['a remote reference', () => ({ type: 'json_schema', schema: { $ref: 'https://example.com/' } })],
  ['a grammar that is none', () => ({ type: 'ebnf', grammar: 'root ::= (((' })],
  [
    'a grammar that repeats nothing',
    (attempt) => ({ type: 'ebnf', grammar: `root ::= (""*)* root? | "${attempt}"` }),
  ],
  [
    'a grammar that doubles itself',
    (attempt) => ({ type: 'ebnf', grammar: `root ::= root root root | "a" | "${attempt}" | ""` }),
  ],
]
