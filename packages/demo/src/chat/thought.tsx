import { formatWait } from '../format/units.ts'
import { AnswerText } from './answer-text.tsx'

interface ThoughtProps {
  readonly thought: string
  /** How long it took, once it has ended. */
  readonly thoughtMs: number | undefined
}

/** What the model thought before it answered, folded: a person reads the answer first. */
export function ThoughtView({ thought, thoughtMs }: ThoughtProps) {
  return (
    <details class="thought">
      <summary class="figures">
        {thoughtMs === undefined ? 'Thinking…' : `Thought for ${formatWait(thoughtMs / 1000)}`}
      </summary>
      <div class="prose soft small" data-role="thought">
        <AnswerText content={thought} />
      </div>
    </details>
  )
}
