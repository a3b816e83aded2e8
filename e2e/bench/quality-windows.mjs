// @ts-check
import { readFileSync } from 'node:fs'

/** A text of this project's own writing: prose, dialogue, code, tables, lists and figures. */
export const qualityText = readFileSync(new URL('quality-text.txt', import.meta.url), 'utf8')

/** Windows that the text is cut into. Each is scored by itself, so that a part of each is a sample of the whole text. */
export const numWindows = 8

/**
 * Positions of a window whose distribution is compared with the reference's. They lie at its beginning, so that a run that
 * scores few positions still has them all; every fourth, so that they are spread over a few sentences.
 */
export const referencePositions = Array.from({ length: 32 }, (_, i) => 4 * i + 3)

/**
 * @param {ArrayLike<number>} tokens of the text
 * @returns {number[][]} windows of equal length; what is left over at the end is dropped
 */
export function windowsOf(tokens) {
  const length = Math.floor(tokens.length / numWindows)
  const all = Array.from(tokens)
  return Array.from({ length: numWindows }, (_, i) => all.slice(i * length, (i + 1) * length))
}
