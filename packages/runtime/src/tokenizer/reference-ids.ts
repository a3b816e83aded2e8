// What tests of tokenizers share: llama.cpp's token ids, as scripts/fixtures/tokenizer-fixtures.mjs wrote them.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Tokenizer } from './tokenizer.ts'

export interface Reference {
  /** For each text: ids with special tokens parsed and, where they differ, as text. */
  readonly ids: readonly (readonly [number[], number[]?])[]
  readonly long: readonly { piece: string; length: number; parse: boolean; count: number; sha256: string }[]
}

export const fixture = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`fixtures/${name}.json`, import.meta.url), 'utf8'))

/** The same hard strings for every tokenizer. */
export const { texts } = fixture<{ texts: string[] }>('texts')

const hashOf = (ids: Uint32Array) => createHash('sha256').update(ids).digest('hex').slice(0, 16)

/** Defines the tests that hold a tokenizer to its reference. */
export function expectReference({ encode }: Tokenizer, { ids, long }: Reference): void {
  test.each(['parse', 'as-text'] as const)('hard strings, special tokens: %s', (specialTokens) => {
    expect(ids.length).toBeGreaterThanOrEqual(500)
    expect(ids).toHaveLength(texts.length)
    const differing = texts.flatMap((text, index) => {
      const [parsed, asText = parsed] = ids[index]!
      const expected = specialTokens === 'parse' ? parsed : asText
      const actual = [...encode(text, { specialTokens, addBos: false })]
      return String(actual) === String(expected) ? [] : [{ text, expected, actual }]
    })
    expect(differing).toEqual([])
  })

  test.each(long)(
    '$length characters of "$piece", parse: $parse',
    ({ piece, length, parse, count, sha256 }) => {
      const text = piece.repeat(Math.ceil(length / piece.length)).slice(0, length)
      const specialTokens = parse ? 'parse' : 'as-text'
      const start = performance.now()
      const line = encode(text, { specialTokens, addBos: false })
      expect.soft(performance.now() - start).toBeLessThan(4_000)
      expect([line.length, hashOf(line)]).toEqual([count, sha256])
    },
  )
}
