import fc from 'fast-check'

type Schema = Record<string, unknown>

const name = fc.constantFrom('id', 'name', 'ok', 'x', 'tags', 'a"b', 'größe', 'a b')
const bounds = (min: number, max: number) =>
  fc
    .tuple(fc.integer({ min, max }), fc.integer({ min, max }))
    .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const)
const pattern = fc.constantFrom(
  '^[A-Z]{2}-\\d{3}$',
  '^(red|green|blue)s?$',
  '^.{2,4}$',
  '^[^a-z"]{1,3}$',
  '^\\w+@\\w+\\.(com|org)$',
  '^"\\\\?$',
  '^(a|b)*c{2,5}$',
  '^[é-ü]{1,2}x?$',
)

/** Values that a few tokens spell. */
const leaf: fc.Arbitrary<Schema> = fc.oneof(
  fc.constant({ type: 'boolean' }),
  fc.constant({ type: 'null' }),
  bounds(-200, 4000).map(([minimum, maximum]) => ({ type: 'integer', minimum, maximum })),
  bounds(-9, 9).map(([minimum, maximum]) => ({ type: 'number', minimum, maximum })),
  bounds(-9, 9).map(([low, high]) => ({ type: 'number', exclusiveMinimum: low, exclusiveMaximum: high + 1 })),
  bounds(0, 15).map(([minLength, maxLength]) => ({ type: 'string', minLength, maxLength })),
  pattern.map((pattern) => ({ type: 'string', pattern })),
  fc.constantFrom('date', 'uuid', 'ipv4', 'time').map((format) => ({ type: 'string', format })),
  fc
    .uniqueArray(fc.oneof(fc.string({ maxLength: 5 }), fc.integer(), fc.constant(null)), {
      minLength: 1,
      maxLength: 4,
    })
    .map((list) => ({ enum: list })),
  fc
    .oneof(fc.constantFrom('été', 'a\n\u0001', '日本', '😀'), fc.constant([1, { b: '\\' }]))
    .map((value) => ({ const: value })),
  fc.constant({ type: ['integer', 'null'], minimum: 3, maximum: 5 }),
)

const objectOf = (inner: fc.Arbitrary<Schema>): fc.Arbitrary<Schema> =>
  fc
    .tuple(
      fc.uniqueArray(name, { minLength: 1, maxLength: 3 }),
      fc.infiniteStream(inner),
      fc.infiniteStream(fc.boolean()),
    )
    .map(([names, schemas, isRequired]) => ({
      type: 'object',
      properties: Object.fromEntries(names.map((key) => [key, schemas.next().value])),
      required: names.filter(() => isRequired.next().value),
      additionalProperties: false,
    }))

/** JSON schemas of what is supported, as deep as `depth`. */
export function randomSchema(depth: number): fc.Arbitrary<Schema> {
  if (depth === 0) return leaf
  const inner = randomSchema(depth - 1)
  const object = objectOf(inner)
  const array = fc
    .tuple(inner, bounds(0, 3))
    .map(([items, [minItems, maxItems]]) => ({ type: 'array', items, minItems, maxItems }))
  const tuple = fc
    .tuple(inner, inner)
    .map((prefixItems) => ({ type: 'array', prefixItems, items: false, minItems: 2 }))
  const union = fc.tuple(inner, inner).map((anyOf) => ({ anyOf }))
  const tagged = fc.tuple(inner, inner).map(([a, b]) => ({
    oneOf: [a, b].map((value, i) => ({
      type: 'object',
      properties: { kind: { const: i }, value },
      required: ['kind', 'value'],
    })),
  }))
  return fc.oneof({ weight: 3, arbitrary: object }, array, tuple, union, tagged, {
    weight: 2,
    arbitrary: leaf,
  })
}

/** Schemas of objects, as the parameters of a tool are. */
export const randomParameters = (depth: number): fc.Arbitrary<Schema> => objectOf(randomSchema(depth - 1))

/** Schemas that refer to definitions of theirs, one of which refers to itself. */
export const randomReferences = (depth: number): fc.Arbitrary<Schema> =>
  fc.tuple(randomSchema(depth - 1), leaf, fc.boolean()).map(([item, value, isList]) => ({
    $defs: {
      item,
      node: {
        type: 'object',
        properties: {
          value,
          next: isList
            ? { type: 'array', items: { $ref: '#/$defs/node' }, maxItems: 2 }
            : { anyOf: [{ type: 'null' }, { $ref: '#/$defs/node' }] },
        },
        required: ['value'],
        additionalProperties: false,
      },
    },
    type: 'object',
    properties: { item: { $ref: '#/$defs/item' }, node: { $ref: '#/$defs/node' } },
    required: ['node'],
    additionalProperties: false,
  }))
