import * as v from 'valibot'
import { generationEntries } from '../sampling/parameters.ts'

/** Pieces of request schemas. Messages say what is allowed, as `parseRequest` has it. */
export const text = (allowed = 'a string') => v.string(allowed)
export const flag = v.optional(v.boolean('true or false'))

/** Of a variant: what its discriminator may be, or that there must be an object. */
export const oneOf =
  (object: string, ...names: string[]) =>
  ({ expected }: { readonly expected: string | null }) =>
    expected === 'Object' ? object : `one of ${names.map((name) => `"${name}"`).join(', ')}`

const json = v.record(v.string(), v.unknown(), 'an object, a JSON schema')

/** OpenAI keeps these for its own accounts and they change no answer, here or there. */
const accountEntries = {
  user: v.optional(text()),
  safety_identifier: v.optional(text()),
  prompt_cache_key: v.optional(text()),
  metadata: v.optional(v.record(v.string(), text('a string each'), 'an object of strings')),
  store: v.optional(v.literal(false, 'false or left out: answers are not stored')),
}

/** What every request for an answer may have. */
export const answerEntries = {
  model: v.optional(text("the loaded model's id, or left out")),
  stream: flag,
  stream_options: v.optional(
    v.strictObject(
      { include_usage: flag, include_obfuscation: v.optional(v.literal(false, 'false')) },
      'an object with include_usage',
    ),
  ),
  ...generationEntries,
  n: v.optional(
    v.pipe(
      v.number('a whole number from 1 to 16'),
      v.integer('a whole number from 1 to 16'),
      v.minValue(1, 'a whole number from 1 to 16'),
      v.maxValue(16, 'a whole number from 1 to 16'),
    ),
  ),
  ...accountEntries,
}

const toolName = 'a name of 1 to 64 letters, digits, "_" and "-"'
export const toolNameSchema = v.pipe(v.string(toolName), v.regex(/^[\w-]{1,64}$/, toolName))

export const functionEntries = {
  name: toolNameSchema,
  description: v.optional(text()),
  parameters: v.optional(json),
  strict: v.optional(v.nullable(v.boolean('true or false'))),
}

export const maxTools = 128

/** @param shape said of a tool that is none */
export const toolList = <Schema extends v.GenericSchema>(tool: Schema) => {
  const allowed = `a list of 1 to ${maxTools} tools`
  return v.optional(v.pipe(v.array(tool, allowed), v.minLength(1, allowed), v.maxLength(maxTools, allowed)))
}

export const formatEntries = {
  text: v.strictObject({ type: v.literal('text') }, '{ type: "text" }'),
  jsonObject: v.strictObject({ type: v.literal('json_object') }, '{ type: "json_object" }'),
  regex: v.strictObject({ type: v.literal('regex'), pattern: text() }, '{ type: "regex", pattern }'),
  grammar: v.strictObject({ type: v.literal('grammar'), grammar: text() }, '{ type: "grammar", grammar }'),
}

export const namedSchemaEntries = {
  name: toolNameSchema,
  description: v.optional(text()),
  schema: json,
  strict: v.optional(v.nullable(v.boolean('true or false'))),
}

/** `regex` and `grammar` (EBNF) are not OpenAI's. */
export const responseFormatSchema = v.variant(
  'type',
  [
    formatEntries.text,
    formatEntries.jsonObject,
    v.strictObject(
      {
        type: v.literal('json_schema'),
        json_schema: v.strictObject(
          namedSchemaEntries,
          '{ name, schema } with description and strict if wanted',
        ),
      },
      '{ type: "json_schema", json_schema }',
    ),
    formatEntries.regex,
    formatEntries.grammar,
  ],
  oneOf('an object with a type', 'text', 'json_object', 'json_schema', 'regex', 'grammar'),
)
