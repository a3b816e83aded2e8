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
 * overlap the longer one wins, not the one that starts earlier.
 */
export function specialTokenSplitter({ tokens, types }: Vocabulary) {
  const named = (wanted: (type: number, special: boolean) => boolean) =>
    tokens
      .flatMap((name, id) => (name !== '' && wanted(types[id]!, isSpecialName(name)) ? [{ name, id }] : []))
      .sort((a, b) => b.name.length - a.name.length)
  const { control, userDefined, unknown } = tokenType
  const found = {
    parse: named((type, special) => special || type === control || type === userDefined || type === unknown),
    'as-text': named((type, special) => !special && type === userDefined),
  }

  return (text: string, specialTokens: SpecialTokens): readonly Fragment[] => {
    let fragments: readonly Fragment[] = text === '' ? [] : [text]
    for (const { name, id } of found[specialTokens]) {
      if (!text.includes(name)) continue
      fragments = fragments.flatMap((fragment) =>
        typeof fragment === 'string' ? cut(fragment, name, id) : fragment,
      )
    }
    return fragments
  }
}

function cut(text: string, name: string, id: number): Fragment[] {
  const pieces = text.split(name)
  return pieces.flatMap((piece, index) => [...(index === 0 ? [] : [id]), ...(piece === '' ? [] : [piece])])
}
