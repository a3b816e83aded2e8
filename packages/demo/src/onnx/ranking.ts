/** What one entry of a searched text is. */
export type EntryUnit = 'line' | 'paragraph'

export interface RankedEntry {
  readonly text: string
  /** Where it is among the entries. */
  readonly index: number
  /** Cosine to the query: 1 means the same, about 0 nothing in common. */
  readonly score: number
}

/** The entries of a text: lines, or paragraphs between empty lines. Entries that say the same stand once. */
export function splitEntries(text: string, unit: EntryUnit): readonly string[] {
  const lines = text.replace(/\r\n?/g, '\n')
  const parts = lines.split(unit === 'line' ? '\n' : /\n(?:[^\S\n]*\n)+/)
  return [...new Set(parts.map((part) => part.replace(/\s+/g, ' ').trim()).filter((part) => part !== ''))]
}

/** The entries by how near their vectors are to the query's, nearest first; equals in the order of the text. */
export function rankEntries(
  query: Float32Array,
  entries: readonly string[],
  vectors: readonly Float32Array[],
): readonly RankedEntry[] {
  return entries
    .map((text, index) => ({ text, index, score: cosine(query, vectors[index]!) }))
    .sort((a, b) => b.score - a.score || a.index - b.index)
}

function cosine(a: Float32Array, b: Float32Array): number {
  let dot = 0
  let squaresA = 0
  let squaresB = 0
  for (let at = 0; at < a.length; at++) {
    dot += a[at]! * b[at]!
    squaresA += a[at]! ** 2
    squaresB += b[at]! ** 2
  }
  const norm = Math.sqrt(squaresA * squaresB)
  return norm === 0 ? 0 : dot / norm
}
