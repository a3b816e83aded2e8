import fc from 'fast-check'
import { requestSchemas } from './openapi.ts'

export interface FuzzRequest {
  readonly path: string
  readonly text: string
}

/** Requests that are right, to be spoilt. */
const right: Readonly<Record<string, Record<string, unknown>>> = {
  '/v1/chat/completions': {
    messages: [{ role: 'user', content: 'Hi' }],
    tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }],
    stop: ['a'],
    logit_bias: { 5: 1 },
  },
  '/v1/completions': { prompt: 'Hi', logprobs: 1, echo: true, max_tokens: 3 },
  '/v1/responses': { input: [{ role: 'user', content: [{ type: 'input_text', text: 'Hi' }] }] },
  '/v1/embeddings': { model: 'Not/One', input: 'Hi' },
  '/tokenize': { prompt: 'Hi' },
  '/detokenize': { tokens: [97] },
}

const paths = Object.keys(right)
const wild = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.constantFrom(
    Number.MAX_VALUE,
    -0,
    2 ** 53,
    1e-320,
    '\ud800',
    '\u0000',
    '__proto__',
    [],
    {},
    [[]],
    [null],
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.double({ noNaN: true }),
  fc.boolean(),
)
/** A union's are those of its members. */
function fieldsOf(schema: { entries?: object; options?: readonly object[] }): string[] {
  const ofMembers = (schema.options ?? []).flatMap(fieldsOf)
  return [...new Set([...Object.keys(schema.entries ?? {}), ...ofMembers])]
}
const fieldOf = (path: string) =>
  fc.constantFrom(...fieldsOf(requestSchemas[path] as unknown as Parameters<typeof fieldsOf>[0]))

/** A right request with a few of its fields, deep ones too, put to something else. */
const spoilt = fc.constantFrom(...paths).chain((path) =>
  fc
    .array(fc.tuple(fc.oneof(fieldOf(path), fc.string({ maxLength: 8 })), wild, fc.boolean()), {
      maxLength: 4,
    })
    .map((changes) => {
      const body = structuredClone(right[path])!
      for (const [name, value, isDeep] of changes) {
        const inner = body[name]
        if (isDeep && Array.isArray(inner) && typeof inner[0] === 'object')
          Object.assign(inner[0] ?? {}, { value })
        Object.defineProperty(body, name, { value, enumerable: true, writable: true, configurable: true })
      }
      return { path, text: JSON.stringify(body) }
    }),
)
const cut = fc.tuple(spoilt, fc.nat(200)).map(([{ path, text }, at]) => ({ path, text: text.slice(0, at) }))
/** Mostly requests with a few things wrong. */
export const fuzzRequest: fc.Arbitrary<FuzzRequest> = fc.oneof(
  { weight: 8, arbitrary: spoilt },
  { weight: 1, arbitrary: cut },
  { weight: 1, arbitrary: fc.record({ path: fc.webPath(), text: fc.string({ maxLength: 100 }) }) },
)
