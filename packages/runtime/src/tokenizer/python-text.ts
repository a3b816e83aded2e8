/** A value inside a template, as far as its text goes. */
export interface TemplateRuntimeValue {
  readonly type: string
  readonly value: unknown
}

/** What Python's `str` makes of a value, which templates print: `True`, `None`, `{'name': 'x'}`. */
export function pythonText(value: TemplateRuntimeValue): string {
  return value.type === 'StringValue' || value.type === 'UndefinedValue'
    ? String(value.value ?? '')
    : pythonRepr(value)
}

function pythonRepr(given: TemplateRuntimeValue): string {
  const { type, value } = given
  if (type === 'StringValue') return quoted(String(value))
  if (type === 'BooleanValue') return value === true ? 'True' : 'False'
  if (type === 'NullValue') return 'None'
  if (Array.isArray(value)) return `[${value.map(pythonRepr).join(', ')}]`
  if (value instanceof Map) {
    const entries = [...(value as Map<string, TemplateRuntimeValue>)]
    return `{${entries.map(([key, entry]) => `${quoted(key)}: ${pythonRepr(entry)}`).join(', ')}}`
  }
  return String(given)
}

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
  const body = text.replace(
    /[\\\n\r\t]|\p{C}|[\p{Z}--[ ]]/gv,
    (character) => escapes[character] ?? escaped(character),
  )
  return quote + (quote === "'" ? body.replaceAll("'", "\\'") : body) + quote
}

/** `\x00`, `\u0000` or `\U00000000`. */
function escaped(character: string): string {
  const point = character.codePointAt(0)!
  const [letter, digits] = point < 0x100 ? ['x', 2] : point < 0x10000 ? ['u', 4] : ['U', 8]
  return `\\${letter}${point.toString(16).padStart(digits as number, '0')}`
}
