import * as v from 'valibot'
import { BrasaError } from '../errors.ts'

/** Deeper than any request means, and shallow enough for whatever walks it. */
const maxDepth = 64

/**
 * A request as its schema has it. What is null at the top counts as left out, as OpenAI has it. The schema's messages say
 * what is allowed, such as "a whole number from 1 up".
 * @throws BrasaError `invalid_request` that names the field, its value and what is allowed
 */
export function parseRequest<Schema extends v.GenericSchema>(
  schema: Schema & { readonly entries: v.ObjectEntries },
  request: unknown,
): v.InferOutput<Schema> {
  if (typeof request !== 'object' || request === null || Array.isArray(request)) {
    throw invalidRequest(`The request is ${kindOf(request)}; it must be an object.`)
  }
  const given = Object.fromEntries(
    Object.entries(request).filter(([, value]) => value !== undefined && value !== null),
  )
  for (const [name, value] of Object.entries(given)) {
    if (Object.hasOwn(schema.entries, name)) checkDepth(name, value)
    else throw unsupportedField(name, schema.entries)
  }
  const result = v.safeParse(schema, given, { abortEarly: true })
  if (result.success) return result.output
  throw invalidField(request, result.issues[0])
}

/** A structured clone, and what makes a grammar, go down as deep as the value does. */
function checkDepth(name: string, value: unknown): void {
  let level: unknown[] = [value]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maxDepth) {
      throw invalidRequest(`"${name}" is nested more than ${maxDepth} deep. Make it flatter.`, name)
    }
    level = level.flatMap((item) =>
      typeof item === 'object' && item !== null && !ArrayBuffer.isView(item) ? Object.values(item) : [],
    )
  }
}

function unsupportedField(name: string, entries: v.ObjectEntries): BrasaError {
  const known = Object.keys(entries).join(', ')
  return invalidRequest(
    `Unsupported parameter "${shortened(name)}". Supported are: ${known}.`,
    shortened(name),
  )
}

function invalidField(request: unknown, first: v.BaseIssue<unknown>): BrasaError {
  const { issue, path } = deepest(first)
  const name = pathName(path)
  const value = path.reduce<unknown>(
    (item, key) => (item as Record<string, unknown>)?.[key as string],
    request,
  )
  if (issue.type === 'strict_object' && value === undefined) {
    const parent = path.length === 1 ? '' : ` "${pathName(path.slice(0, -1))}" must be ${issue.message}.`
    return invalidRequest(`"${name}" is missing.${parent}`, name)
  }
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    const parent = pathName(path.slice(0, -1))
    return invalidRequest(`"${name}" is not supported: "${parent}" must be ${issue.message}.`, name)
  }
  return invalidRequest(`"${name}" is ${kindOf(value)}; it must be ${issue.message}.`, name)
}

/** Of a union, the member that came furthest: what is wrong in a list of parts, and not that it is no string. */
function deepest(issue: v.BaseIssue<unknown>): { issue: v.BaseIssue<unknown>; path: readonly unknown[] } {
  const path = issue.path?.map(({ key }) => key) ?? []
  const inner = (issue.issues ?? [])
    .map(deepest)
    .reduce((best, next) => (next.path.length > best.path.length ? next : best), {
      issue,
      path: [] as readonly unknown[],
    })
  return { issue: inner.issue, path: [...path, ...inner.path] }
}

const pathName = (path: readonly unknown[]) => shortened(path.reduce<string>(pathOf, ''))

/** As in `messages[0].content`. */
function pathOf(path: string, key: unknown): string {
  if (typeof key === 'number') return `${path}[${key}]`
  return path === '' ? String(key) : `${path}.${String(key)}`
}

/** A value in few words, whatever it is. */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'missing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'string') return JSON.stringify(shortened(value))
  return typeof value === 'object' ? 'an object' : shortened(String(value))
}

const shortened = (text: string) => (text.length > 80 ? `${text.slice(0, 80)}…` : text)

/** @param parameter the field's name, as OpenAI's `param` */
export function invalidRequest(message: string, parameter?: string): BrasaError {
  return new BrasaError('invalid_request', {
    message,
    ...(parameter !== undefined && { details: { parameter } }),
  })
}
