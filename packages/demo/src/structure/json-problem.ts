/** Where a text stops being JSON, for the person who is typing it. Browsers say it each in their own way, or not at all. */
export interface JsonProblem {
  readonly kind: 'end' | 'value' | 'key' | 'colon' | 'comma' | 'string' | 'rest' | 'depth'
  /** From 1, in characters as an editor counts them. */
  readonly line: number
  readonly column: number
}

const maxDepth = 200

/** The first place where `text` is no JSON; undefined if it is. RFC 8259. */
export function jsonProblem(text: string): JsonProblem | undefined {
  let at = 0
  let depth = 0
  /** Thrown to leave the recursion. */
  const stop = (kind: JsonProblem['kind']): never => {
    throw { kind: at >= text.length ? 'end' : kind } satisfies Pick<JsonProblem, 'kind'>
  }
  const match = (pattern: RegExp) => {
    pattern.lastIndex = at
    const found = pattern.exec(text)
    if (found !== null) at = pattern.lastIndex
    return found !== null
  }
  const blank = () => match(/[ \t\n\r]*/y)

  function value(): void {
    blank()
    const letter = text[at]
    if (letter === '{') members('}', property)
    else if (letter === '[') members(']', value)
    else if (letter === '"') string()
    else if (!match(/true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y)) stop('value')
  }

  function property(): void {
    if (text[at] !== '"') stop('key')
    string()
    blank()
    if (text[at] !== ':') stop('colon')
    at += 1
    value()
  }

  function members(close: string, member: () => void): void {
    depth += 1
    if (depth > maxDepth) stop('depth')
    at += 1
    blank()
    if (text[at] !== close) {
      for (;;) {
        blank()
        member()
        blank()
        if (text[at] !== ',') break
        at += 1
      }
    }
    if (text[at] !== close) stop('comma')
    at += 1
    depth -= 1
  }

  function string(): void {
    at += 1
    while (text[at] !== '"') {
      // NaN, past the end, is not above either.
      const isPlain = text[at] !== '\\' && text.charCodeAt(at) >= 0x20
      if (isPlain) at += 1
      else if (!match(/\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/y)) stop('string')
    }
    at += 1
  }

  try {
    value()
    blank()
    if (at < text.length) stop('rest')
    return undefined
  } catch (found) {
    const before = text.slice(0, at).split('\n')
    const { kind } = found as Pick<JsonProblem, 'kind'>
    return { kind, line: before.length, column: before.at(-1)!.length + 1 }
  }
}
