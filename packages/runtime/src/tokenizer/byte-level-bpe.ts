import type { Metadata } from '../formats/metadata.ts'
import { mergeNeighbours } from './merge.ts'
import type { PreTokenizer } from './pre-tokenizers.ts'
import { malformedTokenizer, type Vocabulary } from './vocabulary.ts'

/** Words that are remembered, and how long they may be in bytes: prose repeats itself, a run of spaces does not. */
const maxCachedWords = 10_000
const maxCachedLength = 64

/**
 * Byte-level BPE (Radford et al. 2019, section 2.2). @huggingface/tokenizers takes 1 s for a word of 100,000 letters and 60 ms to
 * construct, this 0.1 s and 15 ms, in a tenth of the bytes.
 */
export function createByteLevelBpe(
  metadata: Metadata,
  { tokens }: Vocabulary,
  { patterns, wordsBeforeMerges = false }: PreTokenizer,
): (text: string) => readonly number[] {
  const ids = new Map(tokens.map((token, id) => [token, id]))
  // By the two pieces with a space between, as the file has them: in byte-level spelling no piece holds a space.
  const ranks = new Map(metadata.strings('merges').map((merge, rank) => [merge, rank]))
  for (const merge of ranks.keys()) {
    if (!merge.includes(' ')) throw malformedTokenizer(`The merge "${merge}" is not two pieces.`)
  }
  const cuts = patterns.map((pattern) => new RegExp(pattern, 'gu'))
  const cache = new Map<string, readonly number[]>()

  function merged(word: string): readonly number[] {
    const pieces = mergeNeighbours(word, (start, middle, end) =>
      ranks.get(`${word.slice(start, middle)} ${word.slice(middle, end)}`),
    )
    // As in llama.cpp, a byte that is no token is left out: SmolLM2 lacks a few of control characters and of planes 4 and up.
    return pieces.flatMap((piece) => ids.get(piece) ?? [...piece].flatMap((byte) => ids.get(byte) ?? []))
  }

  function encodeWord(word: string): readonly number[] {
    const whole = wordsBeforeMerges ? ids.get(word) : undefined
    if (whole !== undefined) return [whole]
    const cached = cache.get(word)
    if (cached !== undefined) return cached
    const encoded = merged(word)
    if (cache.size >= maxCachedWords) cache.clear()
    if (word.length <= maxCachedLength) cache.set(word, encoded)
    return encoded
  }

  return (text) =>
    cuts.reduce<readonly string[]>(cutPieces, [text]).flatMap((word) => encodeWord(byteSpelling(word)))
}

/** What a pattern does not match is a piece too. */
function cutPieces(pieces: readonly string[], pattern: RegExp): readonly string[] {
  return pieces.flatMap((piece) => {
    const cut: string[] = []
    let end = 0
    for (const { 0: matched, index } of piece.matchAll(pattern)) {
      if (end < index) cut.push(piece.slice(end, index))
      if (matched !== '') cut.push(matched)
      end = index + matched.length
    }
    if (end < piece.length) cut.push(piece.slice(end))
    return cut
  })
}

/** The byte that a character of a byte-level token stands for: printable Latin-1 is itself, the rest follow from U+0100. */
const byteOfCharacter: ReadonlyMap<string, number> = (() => {
  const bytes = new Map<string, number>()
  let next = 0x100
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad)
    bytes.set(String.fromCharCode(printable ? byte : next++), byte)
  }
  return bytes
})()

const characters = [...byteOfCharacter.keys()]
const utf8 = new TextEncoder()

/** A text's bytes as vocabularies write them. */
function byteSpelling(text: string): string {
  let spelt = ''
  for (const byte of utf8.encode(text)) spelt += characters[byte]
  return spelt
}

/** Bytes of a normal token. A character that stands for no byte is itself, in UTF-8. */
export function byteLevelTokenBytes(token: string): Uint8Array {
  const bytes: number[] = []
  for (const character of token) {
    const byte = byteOfCharacter.get(character)
    if (byte === undefined) bytes.push(...utf8.encode(character))
    else bytes.push(byte)
  }
  return Uint8Array.from(bytes)
}
