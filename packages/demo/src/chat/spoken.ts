/** How far an answer has been read out, and what is to be read out next. */
export interface Spoken {
  /** Characters of the answer that have been said. */
  readonly end: number
  readonly text: string
}

/** Short sentences are said together with the next one: a voice that starts anew for each is tiring. */
const leastLength = 40

/** The sentences that are complete beyond `end`, or all that is left of an answer that has ended. */
export function nextSpoken(content: string, end: number, hasEnded: boolean): Spoken | undefined {
  const rest = content.slice(end)
  // A sentence ends at its mark and a space, or at its line; a dot at the very end may be a decimal's.
  const complete = hasEnded ? rest : (/^[\s\S]*(?:[.!?…:;]["'»”)*_]*\s|\n)/.exec(rest)?.[0] ?? '')
  if (complete === '' || (!hasEnded && complete.trim().length < leastLength)) return undefined
  const text = withoutMarks(complete)
  return text === '' && !hasEnded ? undefined : { end: end + complete.length, text }
}

/** Markdown as it would be read aloud. */
function withoutMarks(markdown: string): string {
  return markdown
    .replace(/^\s*(```|~~~).*$/gm, '')
    .replace(/^\s*(#{1,6}|>|[-*+]|\|?[-:| ]+\|?$)\s*/gm, '')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[*_`|]+/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
}
