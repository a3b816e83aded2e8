import { backendNames } from '../format/backend-names.ts'
import { formatCount, formatMeasured, formatRate } from '../format/units.ts'
import type { ComparedAnswer } from '../state/comparison.ts'
import { engineWords } from '../words/engine-words.ts'
import { words } from '../words/words.ts'

/** What answered, in one line. */
export function byLine({ by: { name, backend, adapter } }: ComparedAnswer): string {
  return `${name} · ${backendNames[backend as keyof typeof backendNames] ?? backend}, ${engineWords(adapter)}`
}

/** What was measured of an answer, as far as it is known. */
export function statsLine({ stats }: ComparedAnswer): readonly string[] {
  if (stats === undefined) return []
  const { ttft, tokens } = words.value.compare
  const rate = stats.tokens > 1 ? [formatRate(stats.tokensPerSecond)] : []
  return [...rate, ttft(formatMeasured(stats.ttftMs)), tokens(formatCount(stats.tokens))]
}

/** A comparison as text, for mail and notes. */
export function comparisonText(prompt: string, answers: readonly ComparedAnswer[]): string {
  const { promptLabel } = words.value.compare
  const parts = answers.map((answer) =>
    [byLine(answer), statsLine(answer).join(' · '), answer.text.trim() || (answer.failure ?? '')]
      .filter((line) => line !== '')
      .join('\n'),
  )
  return [`${promptLabel}: ${prompt}`, ...parts].join('\n\n')
}
