/**
 * Repeats the lines of `code` between `//! for i < count` and `//! end`, once for each i from 0 to count - 1, with `#i`
 * replaced by the number. Loops nest. Registers that a loop goes through need this: with an index that is not a constant,
 * a software adapter keeps them in memory and gathers.
 *
 * @throws Error if a count is not in `counts` or a loop does not end: a mistake in the shader
 */
export function unroll(code: string, counts: Readonly<Record<string, number>>): string {
  const lines = code.split('\n')
  const unrolled: string[] = []
  for (let i = 0; i < lines.length; i++) {
    const loop = /^\s*\/\/! for (\w+) < (\w+)$/.exec(lines[i]!)
    if (loop === null) {
      unrolled.push(lines[i]!)
      continue
    }
    const [, index = '', countName = ''] = loop
    const count = counts[countName]
    if (count === undefined) throw new Error(`The shader's loop "${lines[i]!.trim()}" has no count.`)
    const end = endOfLoop(lines, i)
    const body = unroll(lines.slice(i + 1, end).join('\n'), counts)
    for (let value = 0; value < count; value++) unrolled.push(body.replaceAll(`#${index}`, String(value)))
    i = end
  }
  return unrolled.join('\n')
}

function endOfLoop(lines: readonly string[], start: number): number {
  let depth = 0
  for (let i = start; i < lines.length; i++) {
    const line = lines[i]!.trim()
    if (line.startsWith('//! for ')) depth += 1
    if (line === '//! end') depth -= 1
    if (depth === 0) return i
  }
  throw new Error(`The shader's loop "${lines[start]!.trim()}" does not end.`)
}
