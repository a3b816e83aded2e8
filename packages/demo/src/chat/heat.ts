import type { TokenProbability } from '../state/answer-parts.ts'

/** From which probability on a token counts as how likely, likeliest first. */
export const heats = [{ least: 0.9 }, { least: 0.5 }, { least: 0.2 }, { least: 0.05 }, { least: 0 }] as const

export function heatOf(probability: number): number {
  return heats.findIndex(({ least }) => probability >= least)
}

/** "87 %", "3.4 %"; what is next to nothing, or next to all, is not rounded to it. */
export function formatPercent(probability: number): string {
  const percent = probability * 100
  if (percent < 0.1) return '< 0.1 %'
  if (percent > 99.9 && percent < 100) return '> 99.9 %'
  return `${percent < 10 ? percent.toFixed(1) : Math.round(percent)} %`
}

export interface LikelyToken {
  readonly text: string
  readonly probability: number
  readonly isChosen: boolean
}

/** What could stand in a token's place, likeliest first; the token itself is always among them, once. */
export function likeliestOf(token: TokenProbability): readonly LikelyToken[] {
  const [chosen, own, ...rest] = token
  const others: LikelyToken[] = []
  for (let at = 0; at + 1 < rest.length; at += 2) {
    const [text, probability] = [rest[at] as string, rest[at + 1] as number]
    // Parts of a character have no text of their own to be known by.
    const isChosen = probability === own && (text === chosen || text.includes('\ufffd'))
    others.push({ text, probability, isChosen: isChosen && !others.some((other) => other.isChosen) })
  }
  if (others.some(({ isChosen }) => isChosen)) return others
  return [...others, { text: chosen, probability: own, isChosen: true }]
}

/** White space that can be seen. */
export function visibleText(text: string): string {
  if (text === '') return '◌'
  return text.replaceAll('\n', '↵\n').replaceAll('\t', '⇥').replaceAll('\ufffd', '◌')
}
