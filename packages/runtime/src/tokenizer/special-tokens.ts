import { isSpecialName, tokenType, type Vocabulary } from './vocabulary.ts'

/** Text to be tokenized, or the id of a token that stood in it by name. */
export type Fragment = string | number

/**
 * How special tokens in a text are read. `parse`: their names are the tokens themselves, as a rendered chat template needs.
 * `as-text`: control tokens are spelt out like any other text, so that text of a stranger cannot end a turn. Tokens that the
 * model's makers added as plain words (user-defined) are found either way.
 */
export type SpecialTokens = 'parse' | 'as-text'

/**
 * Cuts special tokens out of a text. Longer names are looked for first, over the whole text, as in llama.cpp: where two
 * overlap the longer one wins, not the one that starts earlier. Linear in the text's length, however many names there are.
 *
 * @param takesSpace whether a token swallows the white space after it
 */
export function specialTokenSplitter({ tokens, types }: Vocabulary, takesSpace: (id: number) => boolean) {
  const { control, userDefined, unknown } = tokenType
  const isParsed = (type: number, special: boolean) =>
    special || type === control || type === userDefined || type === unknown
  const isFoundInText = (type: number, special: boolean) => !special && type === userDefined
  const named = (wanted: typeof isParsed) =>
    nameTree(
      tokens.flatMap((name, id) =>
        name !== '' && wanted(types[id]!, isSpecialName(name)) ? [{ name, id }] : [],
      ),
    )
  const trees = new Map<SpecialTokens, NameNode>()
  const treeOf = (specialTokens: SpecialTokens) => {
    const tree = trees.get(specialTokens) ?? named(specialTokens === 'parse' ? isParsed : isFoundInText)
    trees.set(specialTokens, tree)
    return tree
  }

  return (text: string, specialTokens: SpecialTokens): readonly Fragment[] => {
    const fragments: Fragment[] = []
    let at = 0
    for (const { start, id, length } of occurrences(text, treeOf(specialTokens))) {
      if (start > at) fragments.push(text.slice(at, start))
      fragments.push(id)
      at = start + length
      if (takesSpace(id)) while (/[ \t\n\v\f\r]/.test(text.charAt(at))) at++
    }
    if (at < text.length) fragments.push(text.slice(at))
    return fragments
  }
}

/** Names by their characters, one UTF-16 unit a level. */
interface NameNode {
  readonly next: Map<number, NameNode>
  /** Set where a name ends. */
  end?: { readonly id: number; readonly length: number }
  /** The node of the longest name that this one begins with. */
  shorter?: NameNode
}

function nameTree(names: readonly { name: string; id: number }[]): NameNode {
  const root: NameNode = { next: new Map() }
  // Shorter ones first, so that each finds those it begins with.
  for (const { name, id } of [...names].sort((a, b) => a.name.length - b.name.length)) {
    let node = root
    let shorter: NameNode | undefined
    for (let at = 0; at < name.length; at++) {
      if (node.end) shorter = node
      const unit = name.charCodeAt(at)
      const next: NameNode = node.next.get(unit) ?? { next: new Map() }
      node.next.set(unit, next)
      node = next
    }
    node.end ??= { id, length: name.length }
    if (shorter) node.shorter = shorter
  }
  return root
}

interface Occurrence {
  readonly start: number
  readonly id: number
  readonly length: number
}

/** Names that stand in the text, none over another, by where they start. */
function occurrences(text: string, root: NameNode): Occurrence[] {
  /** By length: places where a name of that length stands, if nothing longer takes them. */
  const candidates: { start: number; node: NameNode }[][] = []
  const offer = (start: number, node: NameNode | undefined) => {
    if (!node?.end) return
    const { length } = node.end
    const row = candidates[length] ?? []
    row.push({ start, node })
    candidates[length] = row
  }
  for (let start = 0; start < text.length; start++) offer(start, longestName(text, start, root))
  if (candidates.length === 0) return []

  const taken = new Uint8Array(text.length)
  const found: Occurrence[] = []
  for (let length = candidates.length - 1; length > 0; length--) {
    for (const { start, node } of (candidates[length] ?? []).sort((a, b) => a.start - b.start)) {
      // What is taken is at least as long: it covers an end of whatever it overlaps.
      if (taken[start] || taken[start + length - 1]) {
        if (!taken[start]) offer(start, node.shorter)
        continue
      }
      taken.fill(1, start, start + length)
      found.push({ start, ...node.end! })
    }
  }
  return found.sort((a, b) => a.start - b.start)
}

function longestName(text: string, start: number, root: NameNode): NameNode | undefined {
  let longest: NameNode | undefined
  let node = root.next.get(text.charCodeAt(start))
  for (let at = start + 1; node !== undefined; at++) {
    if (node.end) longest = node
    node = node.next.get(text.charCodeAt(at))
  }
  return longest
}
