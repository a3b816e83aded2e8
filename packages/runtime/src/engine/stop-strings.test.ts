import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createStopFilter } from './stop-strings.ts'

const run = (pieces: readonly string[], stops: readonly string[]) => {
  const filter = createStopFilter(stops)
  const shown: string[] = []
  for (const piece of pieces) {
    const { text, stopped } = filter.push(piece)
    shown.push(text)
    if (stopped) return { shown, stopped }
  }
  shown.push(filter.end())
  return { shown, stopped: false }
}

describe('createStopFilter', () => {
  test('shows text at once where nothing is held back', () => {
    expect(run(['one ', 'two'], ['###'])).toEqual({ shown: ['one ', 'two', ''], stopped: false })
  })

  test('holds back a partial stop string and lets it go when it turns out to be none', () => {
    expect(run(['a#', '#', 'b'], ['###'])).toEqual({ shown: ['a', '', '##b', ''], stopped: false })
  })

  test('shows a partial stop string at the end of the answer', () => {
    expect(run(['a##'], ['###'])).toEqual({ shown: ['a', '##'], stopped: false })
  })

  test('cuts before a stop string that spans pieces', () => {
    expect(run(['a#', '#', '#b'], ['###'])).toEqual({ shown: ['a', '', ''], stopped: true })
  })

  test('is not fooled by a repeated beginning', () => {
    expect(run(['aab', 'aabc', 'x'], ['aabaabc'])).toEqual({ shown: ['', ''], stopped: true })
    expect(run(['aaba', 'abaabc'], ['aabaabc'])).toEqual({ shown: ['', 'aab'], stopped: true })
  })

  test('however the text is cut, what is shown is the text before the first stop string', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 6 })
    const stops = fc.array(
      letters.filter((stop) => stop.length > 0),
      { maxLength: 3 },
    )
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 12 }), stops, (pieces, stopStrings) => {
        const { shown, stopped } = run(pieces, stopStrings)
        const text = pieces.join('')
        const cuts = stopStrings.map((stop) => text.indexOf(stop)).filter((index) => index >= 0)
        expect(stopped).toBe(cuts.length > 0)
        const out = shown.join('')
        // With several stop strings the one that is complete first wins, so that nothing shown is ever taken back.
        expect(text.startsWith(out)).toBe(true)
        if (!stopped) expect(out).toBe(text)
        for (const stop of stopStrings) expect(out.includes(stop)).toBe(false)
        if (stopStrings.length === 1 && stopped) expect(out.length).toBe(cuts[0])
      }),
    )
  })
})
