/**
 * JSON with a line for each member, indented. Works on the text, finished or not: numbers keep their digits, and what is
 * formatted of an answer's beginning is the beginning of the formatted answer, so that nothing jumps while it is written.
 */
export function formatJson(text: string): string {
  let out = ''
  let depth = 0
  let inString = false
  let isEscaped = false
  /** A bracket that was opened and has nothing in it yet. */
  let isOpen = false
  const line = () => `\n${'  '.repeat(depth)}`
  for (const letter of text) {
    if (inString) {
      out += letter
      if (isEscaped) isEscaped = false
      else if (letter === '\\') isEscaped = true
      else if (letter === '"') inString = false
      continue
    }
    if (/\s/.test(letter)) continue
    if (letter === '}' || letter === ']') {
      depth = Math.max(0, depth - 1)
      out += isOpen ? letter : line() + letter
      isOpen = false
      continue
    }
    if (isOpen) {
      out += line()
      isOpen = false
    }
    if (letter === '{' || letter === '[') {
      out += letter
      depth += 1
      isOpen = true
    } else if (letter === ',') out += letter + line()
    else if (letter === ':') out += ': '
    else {
      out += letter
      inString = letter === '"'
    }
  }
  return out
}
