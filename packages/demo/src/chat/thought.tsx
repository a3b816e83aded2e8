import { formatWait } from '../format/units.ts'
import { words } from '../words/words.ts'
import { AnswerText } from './answer-text.tsx'

interface ThoughtProps {
  readonly thought: string
  /** How long it took, once it has ended. */
  readonly thoughtMs: number | undefined
  /** The answer is being written. */
  readonly busy: boolean
}

/** What the model thought before it answered, folded: a person reads the answer first. */
export function ThoughtView({ thought, thoughtMs, busy }: ThoughtProps) {
  // Where the page was left in mid-thought, nobody measured it.
  const { answer: said } = words.value
  const unmeasured = busy ? said.thinking : said.thought
  return (
    <details class="thought">
      <summary class="figures">
        {thoughtMs === undefined ? unmeasured : said.thoughtFor(formatWait(thoughtMs / 1000))}
      </summary>
      <div class="prose soft small" data-role="thought">
        <AnswerText content={thought} />
      </div>
    </details>
  )
}
