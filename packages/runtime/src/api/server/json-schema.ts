import type * as v from 'valibot'

export type JsonSchema = Readonly<Record<string, unknown>>

interface SchemaParts {
  readonly type: string
  readonly entries?: Readonly<Record<string, v.GenericSchema>>
  readonly options?: readonly unknown[]
  readonly item?: v.GenericSchema
  readonly key?: v.GenericSchema
  readonly value?: v.GenericSchema
  readonly literal?: unknown
  readonly wrapped?: v.GenericSchema
  readonly pipe?: readonly PipeItem[]
}

interface PipeItem {
  readonly kind: 'schema' | 'validation'
  readonly type: string
  readonly requirement?: unknown
}

/** What of a pipe's checks JSON schema has a word for. */
const wordOf: Readonly<Record<string, string>> = {
  min_value: 'minimum',
  max_value: 'maximum',
  max_entries: 'maxProperties',
}

/** A request's schema in JSON schema's words. Fails on what it does not know, rather than to tell less than is checked. */
export function jsonSchema(schema: v.GenericSchema): JsonSchema {
  const parts = schema as unknown as SchemaParts
  if (parts.pipe === undefined) return plainSchema(parts)
  let described: JsonSchema = {}
  for (const item of parts.pipe) {
    if (item.kind === 'validation') described = { ...described, ...checkSchema(item, described) }
    else if (item.type !== 'custom') described = plainSchema(item as unknown as SchemaParts)
  }
  return described
}

function checkSchema({ type, requirement }: PipeItem, { type: of }: JsonSchema): JsonSchema {
  if (type === 'integer') return { type: 'integer' }
  if (type === 'regex') return { pattern: (requirement as RegExp).source }
  if (type === 'min_length') return { [of === 'array' ? 'minItems' : 'minLength']: requirement }
  if (type === 'max_length') return { [of === 'array' ? 'maxItems' : 'maxLength']: requirement }
  const word = wordOf[type]
  if (word === undefined) throw new TypeError(`no JSON schema for the check ${type}`)
  return { [word]: requirement }
}

function plainSchema(parts: SchemaParts): JsonSchema {
  switch (parts.type) {
    case 'string':
    case 'number':
    case 'boolean':
    case 'null':
      return { type: parts.type }
    case 'unknown':
      return {}
    case 'literal':
      return { const: parts.literal }
    case 'picklist':
      return { enum: parts.options }
    case 'optional':
      return jsonSchema(parts.wrapped!)
    case 'nullable':
      return { anyOf: [jsonSchema(parts.wrapped!), { type: 'null' }] }
    case 'array':
      return { type: 'array', items: jsonSchema(parts.item!) }
    case 'record':
      return {
        type: 'object',
        propertyNames: jsonSchema(parts.key!),
        additionalProperties: jsonSchema(parts.value!),
      }
    case 'union':
    case 'variant':
      return { anyOf: (parts.options as v.GenericSchema[]).map(jsonSchema) }
    case 'strict_object':
      return objectSchema(parts.entries!)
    default:
      throw new TypeError(`no JSON schema for ${parts.type}`)
  }
}

function objectSchema(entries: Readonly<Record<string, v.GenericSchema>>): JsonSchema {
  const required = Object.keys(entries).filter((name) => entries[name]!.type !== 'optional')
  return {
    type: 'object',
    properties: Object.fromEntries(Object.entries(entries).map(([name, entry]) => [name, jsonSchema(entry)])),
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  }
}
