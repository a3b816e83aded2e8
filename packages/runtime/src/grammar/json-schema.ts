import { BrasaError } from '../errors.ts'
import { inJson, jsonCharacter } from './characters.ts'
import { choice, type Expression, nothing, optional, type Rules, sequence, star, text } from './expression.ts'
import { formats } from './formats.ts'
import { areDisjoint } from './json-schema-branches.ts'
import { boundedIntegers, boundedNumbers } from './numbers.ts'
import { regularExpression } from './regular-expression.ts'

/** JSON Schema limits before anything is compiled; OpenAI's own are lower. */
export const schemaLimits = {
  characters: 200_000,
  depth: 64,
  enumValues: 5000,
  properties: 5000,
  count: 10_000,
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
type Schema = { readonly [keyword: string]: Json }

const annotations = new Set(
  'title description default examples $schema $id $comment deprecated readOnly writeOnly $defs definitions'.split(
    ' ',
  ),
)
const keywordsOf = {
  object: ['properties', 'required', 'additionalProperties', 'minProperties', 'maxProperties'],
  array: ['items', 'prefixItems', 'minItems', 'maxItems'],
  string: ['minLength', 'maxLength', 'pattern', 'format'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
  integer: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
  boolean: [],
  null: [],
} as const satisfies Record<string, readonly string[]>
type TypeName = keyof typeof keywordsOf
const allKeywords = new Set<string>(Object.values(keywordsOf).flat())
const typeNames = Object.keys(keywordsOf) as TypeName[]

/**
 * The JSON texts of a schema, on one line, properties in the schema's order: a subset of what the schema allows, never more.
 * Properties that it does not name are written only for objects that name none. Own code where XGrammar has a converter, because
 * that one, as of 0.1.27, goes past a maximum, ends strings in the middle of a pattern, and passes over keywords that it
 * does not know: here they are refused by name.
 * @throws BrasaError `invalid_request`
 */
export function jsonSchema(schema: unknown, rules: Rules): Expression {
  const root = checked(schema)
  const busy = new Set<string>()

  function value(schema: Json, at: string): Expression {
    if (schema === true) return anyValue(rules)
    if (schema === false) throw refuse(at, 'is false, which nothing satisfies')
    if (!isObject(schema)) throw refuse(at, 'is no schema: neither an object nor true')
    if (typeof schema.$ref === 'string') return reference(schema, schema.$ref, at)
    for (const combined of ['anyOf', 'oneOf', 'allOf'] as const) {
      if (combined in schema) return branches(schema, combined, at)
    }
    if ('const' in schema || 'enum' in schema) return listed(schema, at)
    const types = typesOf(schema, at)
    const known = new Set<string>(types.flatMap((type) => keywordsOf[type]))
    onlyKeywords(schema, ['type', ...known], at)
    return choice(...types.map((type) => ofType[type](schema, at)))
  }

  function onlyKeywords(schema: Schema, known: readonly string[], at: string): void {
    const other = Object.keys(schema).find((key) => !annotations.has(key) && !known.includes(key))
    if (other === undefined) return
    const beside = allKeywords.has(other) ? ' in this place' : ''
    throw refuse(at, `has the keyword "${other}", which is not supported${beside}`)
  }

  function reference(schema: Schema, target: string, at: string): Expression {
    onlyKeywords(schema, ['$ref'], at)
    if (target !== '#' && !target.startsWith('#/'))
      throw refuse(at, `refers to ${JSON.stringify(target)}; only what begins with "#" can be referred to`)
    if (busy.has(target)) throw refuse(at, 'refers to itself and to nothing else')
    let found: Json | undefined = root
    for (const part of target.split('/').slice(1)) {
      const key = unescapedPointer(part)
      found =
        isObject(found) && Object.hasOwn(found, key)
          ? found[key]
          : Array.isArray(found)
            ? found[Number(key)]
            : undefined
    }
    if (found === undefined) throw refuse(at, `refers to ${JSON.stringify(target)}, which is not there`)
    const pointed = found
    // A reference to nothing but references never comes to an end.
    if (isObject(pointed) && typeof pointed.$ref === 'string') {
      busy.add(target)
      const expression = value(pointed, target)
      busy.delete(target)
      return expression
    }
    return rules.rule(`schema ${target}`, () => value(pointed, target))
  }

  function branches(schema: Schema, combined: 'anyOf' | 'oneOf' | 'allOf', at: string): Expression {
    onlyKeywords(schema, [combined], at)
    const options = schema[combined]
    if (!Array.isArray(options) || options.length === 0)
      throw refuse(`${at}/${combined}`, 'is no list of schemas')
    if (combined === 'allOf' && options.length > 1) {
      throw refuse(
        at,
        'has the keyword "allOf" with several schemas, which is not supported; write them as one',
      )
    }
    if (combined === 'oneOf' && !areDisjoint(options, root)) {
      throw refuse(
        at,
        'has the keyword "oneOf" with schemas that may both hold, which is not supported; use "anyOf", or a property that tells them apart by "const"',
      )
    }
    return choice(...options.map((option: Json, i) => value(option, `${at}/${combined}/${i}`)))
  }

  function listed(schema: Schema, at: string): Expression {
    onlyKeywords(schema, ['type', 'const', 'enum'], at)
    if ('enum' in schema && !Array.isArray(schema.enum)) throw refuse(`${at}/enum`, 'is no list')
    const types = 'type' in schema ? typesOf(schema, at) : undefined
    const list = 'enum' in schema ? (schema.enum as readonly Json[]) : [schema.const!]
    const values = list
      .filter((item) => !('const' in schema) || JSON.stringify(item) === JSON.stringify(schema.const))
      .filter((item) => types?.some((type) => isOfType(item, type)) ?? true)
    if (values.length === 0) throw refuse(at, 'allows no value')
    return choice(...values.map((item) => text(spelled(item))))
  }

  function typesOf(schema: Schema, at: string): readonly TypeName[] {
    const given = schema.type
    if (given === undefined) {
      // What a schema says of one type is meant for that type.
      const meant = typeNames.filter(
        (type) => type !== 'integer' && keywordsOf[type].some((key) => key in schema),
      )
      return meant.length > 0 ? meant : typeNames.filter((type) => type !== 'integer')
    }
    const types = Array.isArray(given) ? given : [given]
    const unknown = types.find((type: Json) => !typeNames.includes(type as TypeName))
    if (unknown !== undefined || types.length === 0)
      throw refuse(
        `${at}/type`,
        `is ${JSON.stringify(given).slice(0, 60)}; known are ${typeNames.join(', ')}`,
      )
    return [...new Set(types as TypeName[])]
  }

  function count(schema: Schema, keyword: string, at: string): number | undefined {
    const given = schema[keyword]
    if (given === undefined) return undefined
    if (Number.isInteger(given) && (given as number) >= 0) {
      if (keyword.startsWith('max')) return Math.min(given as number, schemaLimits.count)
      if ((given as number) <= schemaLimits.count) return given as number
    }
    throw refuse(`${at}/${keyword}`, `is no whole number from 0 to ${schemaLimits.count}`)
  }

  function range(
    schema: Schema,
    least: string,
    most: string,
    at: string,
  ): readonly [number, number | undefined] {
    const [min, max] = [count(schema, least, at) ?? 0, count(schema, most, at)]
    if (max !== undefined && max < min) throw refuse(at, `has a "${most}" below its "${least}"`)
    return [min, max]
  }

  function bounds(schema: Schema, at: string) {
    const bound = (keyword: string) => {
      const given = schema[keyword]
      if (given === undefined || typeof given === 'number') return given
      throw refuse(`${at}/${keyword}`, 'is no number')
    }
    return {
      least: bound('minimum'),
      most: bound('maximum'),
      above: bound('exclusiveMinimum'),
      below: bound('exclusiveMaximum'),
    }
  }

  const within = (found: Expression | undefined, at: string): Expression => {
    if (found) return found
    throw refuse(
      at,
      'has bounds without a number between them that can be written; leave room for a whole one',
    )
  }

  const ofType: Record<TypeName, (schema: Schema, at: string) => Expression> = {
    null: () => text('null'),
    boolean: () => choice(text('true'), text('false')),
    integer: (schema, at) => within(boundedIntegers(rules, bounds(schema, at)), at),
    number: (schema, at) => within(boundedNumbers(rules, bounds(schema, at)), at),
    string(schema, at) {
      const [min, max] = range(schema, 'minLength', 'maxLength', at)
      const { pattern, format } = schema
      if (pattern === undefined && format === undefined) {
        return sequence(text('"'), rules.repeat('character', character(rules), min, max), text('"'))
      }
      const beside = [pattern !== undefined, format !== undefined, min > 0 || max !== undefined].filter(
        Boolean,
      )
      if (beside.length > 1)
        throw refuse(at, 'has more than one of "pattern", "format" and a length, which is not supported')
      if (pattern !== undefined && typeof pattern !== 'string') throw refuse(`${at}/pattern`, 'is no string')
      if (format !== undefined && !(typeof format === 'string' && Object.hasOwn(formats, format))) {
        throw refuse(
          `${at}/format`,
          `is ${JSON.stringify(format).slice(0, 60)}; supported are ${Object.keys(formats).join(', ')}`,
        )
      }
      const source = pattern ?? formats[format as string]!
      const meaning = `pattern ${source}`
      const inside = rules.rule(meaning, () =>
        regularExpression(source, rules, inJson, star(character(rules))),
      )
      return sequence(text('"'), inside, text('"'))
    },
    array(schema, at) {
      const [min, max] = range(schema, 'minItems', 'maxItems', at)
      const { items = true, prefixItems = [] } = schema
      if (Array.isArray(items) || !Array.isArray(prefixItems))
        throw refuse(at, 'has a list of "items", which is not supported; write "prefixItems"')
      const first = prefixItems
        .slice(0, max)
        .map((item: Json, i: number) => value(item, `${at}/prefixItems/${i}`))
      // A list that ends among its first items is left to schemas that ask for it.
      const required = first.length > 0 ? first : []
      const left = {
        min: Math.max(0, min - required.length),
        max: max === undefined ? undefined : max - required.length,
      }
      if (items === false || left.max === 0) {
        if (left.min > 0) throw refuse(at, 'wants more items than it allows')
        return sequence(text('['), ...separated(required), text(']'))
      }
      const item = rules.rule(`schema ${at}/items`, () => value(items, `${at}/items`))
      const next = rules.rule(`more of ${at}`, () => sequence(text(', '), item))
      const repeated = (min: number, max: number | undefined) =>
        rules.repeat(`items of ${at}`, next, min, max)
      if (required.length > 0)
        return sequence(text('['), ...separated(required), repeated(left.min, left.max), text(']'))
      const some = sequence(
        item,
        repeated(Math.max(0, left.min - 1), left.max === undefined ? undefined : left.max - 1),
      )
      return sequence(text('['), left.min === 0 ? optional(some) : some, text(']'))
    },
    object(schema, at) {
      const { properties = {}, required = [], additionalProperties } = schema
      if (!isObject(properties)) throw refuse(`${at}/properties`, 'is no object')
      if (!Array.isArray(required) || required.some((name: Json) => typeof name !== 'string'))
        throw refuse(`${at}/required`, 'is no list of names')
      const [min, max] = range(schema, 'minProperties', 'maxProperties', at)
      const needed = new Set(required as readonly string[])
      const unnamed = [...needed].filter((name) => !Object.hasOwn(properties, name))
      if (unnamed.length > 0 && additionalProperties === false)
        throw refuse(at, `requires "${unnamed[0]}", which is not among its properties`)
      const others = additionalProperties ?? true
      const names = [...Object.keys(properties), ...unnamed]
      if (names.length === 0) return others === false ? emptyObject(min, at) : anyNames(others, min, max, at)
      if (min > needed.size || names.length > (max ?? names.length)) {
        throw refuse(at, 'counts properties beyond those that it requires, which is not supported')
      }
      const member = (name: string) =>
        sequence(
          text(`${JSON.stringify(name)}: `),
          rules.rule(`schema ${at}/properties/${pointerOf(name)}`, () =>
            Object.hasOwn(properties, name)
              ? value(properties[name]!, `${at}/properties/${pointerOf(name)}`)
              : value(others, `${at}/additionalProperties`),
          ),
        )
      // From the last to the first: what may follow a member, and what may stand where there was none yet.
      let next = nothing
      let first = nothing
      for (const [index, name] of [...names.entries()].reverse()) {
        const [afterNext, afterFirst, here] = [next, first, member(name)]
        const isNeeded = needed.has(name)
        next = rules.rule(`more members ${at} ${index}`, () => {
          const written = sequence(text(', '), here, afterNext)
          return isNeeded ? written : choice(written, afterNext)
        })
        first = rules.rule(`members ${at} ${index}`, () => {
          const written = sequence(here, afterNext)
          return isNeeded ? written : choice(written, afterFirst)
        })
      }
      return sequence(text('{'), first, text('}'))
    },
  }

  const emptyObject = (min: number, at: string): Expression => {
    if (min > 0) throw refuse(at, 'wants properties and allows none')
    return text('{}')
  }

  function anyNames(others: Json, min: number, max: number | undefined, at: string): Expression {
    // A name may come twice, and then counts once.
    if (min > 1) throw refuse(at, 'has a "minProperties" above 1 and names none, which is not supported')
    if (max === 0) return emptyObject(min, at)
    const member = rules.rule(`member ${at}`, () =>
      sequence(jsonString(rules), text(': '), value(others, `${at}/additionalProperties`)),
    )
    const more = rules.repeat(
      `members ${at}`,
      sequence(text(', '), member),
      0,
      max === undefined ? undefined : max - 1,
    )
    const some = sequence(member, more)
    return sequence(text('{'), min === 0 ? optional(some) : some, text('}'))
  }

  const expression = rules.rule('schema #', () => value(root, '#'))
  if (!rules.isProductive(expression))
    throw refuse('#', 'asks for a value without end: let a recursion be left out')
  return expression
}

/** Any JSON object, on one line. */
export const jsonObject = (rules: Rules): Expression => jsonSchema({ type: 'object' }, rules)

function anyValue(rules: Rules): Expression {
  return rules.rule('any value', () => {
    const item = anyValue(rules)
    const member = sequence(jsonString(rules), text(': '), item)
    const list = (part: Expression) => optional(sequence(part, star(sequence(text(', '), part))))
    return choice(
      sequence(text('{'), list(member), text('}')),
      sequence(text('['), list(item), text(']')),
      jsonString(rules),
      boundedNumbers(rules, {})!,
      ...['true', 'false', 'null'].map(text),
    )
  })
}

const character = (rules: Rules) => rules.rule('character', () => jsonCharacter)
const jsonString = (rules: Rules) =>
  rules.rule('string', () => sequence(text('"'), star(jsonCharacter), text('"')))

const separated = (parts: readonly Expression[]): Expression[] =>
  parts.flatMap((part, i) => (i === 0 ? [part] : [text(', '), part]))

/** As the grammar spaces JSON. */
function spelled(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(spelled).join(', ')}]`
  if (!isObject(value)) return JSON.stringify(value)
  return `{${Object.entries(value)
    .map(([key, item]) => `${JSON.stringify(key)}: ${spelled(item)}`)
    .join(', ')}}`
}

function isOfType(value: Json, type: TypeName): boolean {
  if (type === 'integer') return Number.isInteger(value)
  if (type === 'null') return value === null
  if (type === 'array') return Array.isArray(value)
  return type === 'object' ? isObject(value) : typeof value === type
}

/** A copy of the schema, as JSON has it. @throws BrasaError `invalid_request` where it is none or too large */
function checked(schema: unknown): Json {
  const counts = { enumValues: 0, properties: 0, nodes: 0 }
  const copy = (given: unknown, depth: number): Json => {
    counts.nodes += 1
    if (depth > schemaLimits.depth) throw refuse('#', `is nested more than ${schemaLimits.depth} levels deep`)
    if (counts.nodes > schemaLimits.characters / 2) throw refuse('#', 'is too large')
    if (Array.isArray(given)) {
      counts.enumValues += given.length
      if (counts.enumValues > schemaLimits.enumValues)
        throw refuse('#', `lists more than ${schemaLimits.enumValues} values`)
      return given.map((item) => copy(item, depth + 1))
    }
    if (typeof given === 'object' && given !== null) {
      const entries = Object.entries(given)
      counts.properties += entries.length
      if (counts.properties > schemaLimits.properties * 4) throw refuse('#', 'has too many properties')
      return Object.fromEntries(entries.map(([key, item]) => [key, copy(item, depth + 1)]))
    }
    if (given === null || typeof given === 'boolean' || typeof given === 'string') return given
    if (typeof given === 'number' && Number.isFinite(given)) return given
    throw refuse('#', 'holds something that is not JSON')
  }
  const root = copy(schema, 0)
  const { length } = JSON.stringify(root)
  if (length > schemaLimits.characters)
    throw refuse('#', `has ${length} characters, more than ${schemaLimits.characters}`)
  return root
}

const pointerOf = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1')

const unescapedPointer = (part: string): string => {
  try {
    return decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')
  } catch {
    return part
  }
}

export const isObject = (value: Json | undefined): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function refuse(at: string, what: string): BrasaError {
  return new BrasaError('invalid_request', {
    message: `The schema at ${at.slice(0, 200)} ${what}.`,
    details: { parameter: 'response_format' },
  })
}
