// Whether the branches of a `oneOf` exclude one another, so that a value of one is a value of one alone.

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
type Schema = { readonly [keyword: string]: Json }

/** By their types, by their listed values, or by a property that each requires and fixes to other values. */
export function areDisjoint(branches: readonly Json[], root: Json): boolean {
  const resolved = branches.map((branch) => resolve(branch, root))
  return resolved.every((a, i) => resolved.slice(i + 1).every((b) => exclude(a, b)))
}

function resolve(schema: Json, root: Json): Schema {
  const target = isObject(schema) ? schema.$ref : undefined
  if (typeof target !== 'string') return isObject(schema) ? schema : {}
  let found: Json | undefined = root
  for (const part of target.split('/').slice(1)) found = isObject(found) ? found[part] : undefined
  return isObject(found) && !('$ref' in found) ? found : {}
}

function exclude(a: Schema, b: Schema): boolean {
  const [values, others] = [valuesOf(a), valuesOf(b)]
  if (values && others) return !values.some((value) => others.includes(value))
  const [types, otherTypes] = [typesOf(a), typesOf(b)]
  if (types && otherTypes && !types.some((type) => otherTypes.includes(type))) return true
  return requiredOf(a).some((name) => {
    if (!requiredOf(b).includes(name)) return false
    const [mine, theirs] = [propertyOf(a, name), propertyOf(b, name)]
    const [fixed, otherFixed] = [mine && valuesOf(mine), theirs && valuesOf(theirs)]
    return (
      fixed !== undefined && otherFixed !== undefined && !fixed.some((value) => otherFixed.includes(value))
    )
  })
}

function valuesOf(schema: Schema): readonly string[] | undefined {
  if ('const' in schema) return [JSON.stringify(schema.const)]
  const { enum: list } = schema
  return Array.isArray(list) ? list.map((value) => JSON.stringify(value)) : undefined
}

function typesOf(schema: Schema): readonly Json[] | undefined {
  const { type } = schema
  if (type === undefined) {
    return valuesOf(schema)?.map((value) => {
      const parsed: Json = JSON.parse(value)
      if (parsed === null) return 'null'
      return Array.isArray(parsed) ? 'array' : typeof parsed
    })
  }
  // Whole numbers are numbers.
  return (Array.isArray(type) ? type : [type]).map((name: Json) => (name === 'integer' ? 'number' : name))
}

/** Of schemas that only an object satisfies. */
function requiredOf({ type, required }: Schema): readonly Json[] {
  return type === 'object' && Array.isArray(required) ? required : []
}

function propertyOf({ properties }: Schema, name: Json): Schema | undefined {
  const found = isObject(properties) && typeof name === 'string' ? properties[name] : undefined
  return isObject(found) ? found : undefined
}

const isObject = (value: Json | undefined): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
