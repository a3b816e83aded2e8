// Not the library's BPE: it merges by rank of a pair, and a SentencePiece file has a score a token. Two ways to make one
// token, and two tokens of one score, are ties that go to the leftmost; no list of ranked pairs says that.

import type { Metadata } from '../formats/metadata.ts'
import { mergeNeighbours } from './merge.ts'
import { malformedTokenizer, tokenType, type Vocabulary } from './vocabulary.ts'

/** Stands for a space in SentencePiece tokens. */
const spaceMark = '\u2581'

/**
 * SentencePiece-style BPE as llama.cpp runs it: of all neighbours whose union is a token, the pair of the highest score is
 * merged, leftmost first; a character that is no token falls back to its bytes. Kudo and Richardson 2018.
 */
export function createSentencePiece(metadata: Metadata, { tokens, types }: Vocabulary) {
  const scores = Float32Array.from(metadata.numbers('scores'))
  if (scores.length !== tokens.length) {
    throw malformedTokenizer(`The tokenizer has ${tokens.length} tokens and ${scores.length} scores.`)
  }
  const ids = new Map(tokens.map((token, id) => [token, id]))
  const unknownId = types.indexOf(tokenType.unknown)
  const byteIds = Array.from({ length: 256 }, (_, byte) => {
    const hex = byte.toString(16).toUpperCase().padStart(2, '0')
    return ids.get(`<0x${hex}>`) ?? unknownId
  })
  const longest = tokens.reduce((length, token) => Math.max(length, token.length), 0)

  return (text: string): readonly number[] => {
    const spelt = text.replaceAll(' ', spaceMark)
    const pieces = mergeNeighbours(spelt, (start, _, end) => {
      const id = end - start > longest ? undefined : ids.get(spelt.slice(start, end))
      return id === undefined ? undefined : -scores[id]!
    })
    return pieces
      .flatMap(
        (piece) => ids.get(piece) ?? Array.from(new TextEncoder().encode(piece), (byte) => byteIds[byte]!),
      )
      .filter((id) => id >= 0)
  }
}

/** Bytes of a token: a byte token is its byte, and the mark is a space in normal ones. */
export function sentencePieceTokenBytes(token: string, type: number): Uint8Array {
  if (type === tokenType.byte) {
    const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(token)?.[1]
    if (byte !== undefined) return Uint8Array.of(Number.parseInt(byte, 16))
  }
  const text = type === tokenType.normal ? token.replaceAll(spaceMark, ' ') : token
  return new TextEncoder().encode(text)
}
