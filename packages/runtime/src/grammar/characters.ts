import { type CodePointRange, choice, type Expression, oneOf, sequence, text } from './expression.ts'

const lastCodePoint = 0x10ffff

/** Every code point but those of `ranges`. Halves of surrogate pairs are in no text. */
export function complement(ranges: readonly CodePointRange[]): CodePointRange[] {
  const taken = [...ranges].sort((a, b) => a[0] - b[0])
  const left: CodePointRange[] = []
  let next = 0
  for (const [first, last] of taken) {
    if (first > next) left.push([next, first - 1])
    next = Math.max(next, last + 1)
  }
  if (next <= lastCodePoint) left.push([next, lastCodePoint])
  return left
}

/** How a set of characters is written in the text that a grammar describes. */
export type Spelling = (ranges: readonly CodePointRange[]) => Expression

/** As they are. */
export const plainly: Spelling = (ranges) => oneOf(...ranges)

/** Between the quotes of a JSON string, with the escapes that it must have. */
export const inJson: Spelling = (ranges) => {
  const mustEscape: CodePointRange[] = [
    [0, 0x1f],
    [0x22, 0x22],
    [0x5c, 0x5c],
  ]
  const asIs = intersection(ranges, complement(mustEscape))
  const toEscape = intersection(ranges, mustEscape).flatMap(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, i) => String.fromCodePoint(first + i)),
  )
  return choice(
    ...(asIs.length > 0 ? [oneOf(...asIs)] : []),
    ...toEscape.map((character) => text(JSON.stringify(character).slice(1, -1))),
  )
}

function intersection(a: readonly CodePointRange[], b: readonly CodePointRange[]): CodePointRange[] {
  return a.flatMap(([first, last]) =>
    b
      .map(([start, end]): CodePointRange => [Math.max(first, start), Math.min(last, end)])
      .filter(([start, end]) => start <= end),
  )
}

/** One character of a JSON string: itself, or an escape that stands for one code point. */
export const jsonCharacter: Expression = choice(
  oneOf([0x20, 0x21], [0x23, 0x5b], [0x5d, lastCodePoint]),
  sequence(text('\\'), choice(...['"', '\\', '/', 'b', 'f', 'n', 'r', 't'].map(text))),
)
