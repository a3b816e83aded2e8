import { useSignal } from '@preact/signals'
import { phaseWord } from '../load/progress.ts'
import type { Answer } from '../state/conversation.ts'
import { recovery } from '../state/model.ts'
import { formatJson } from '../structure/format-json.ts'
import { ToolStep } from '../tools/tool-step.tsx'
import { words } from '../words/words.ts'
import { AnswerText } from './answer-text.tsx'
import { CodeBlock } from './code-block.tsx'
import { FailureLine } from './failure-line.tsx'
import { HeatView } from './heat-view.tsx'
import { StatLine } from './stat-line.tsx'
import { ThoughtView } from './thought.tsx'

interface AnswerProps {
  readonly answer: Answer
  readonly last: boolean
}

/** An answer as it grows: the thought, what tools were called, the words, and what was measured. */
export function AnswerView({ answer, last }: AnswerProps) {
  const busy = answer.state === 'waiting' || answer.state === 'streaming'
  const isHeatShown = useSignal(false)
  const heat = isHeatShown.value ? answer.probabilities : undefined
  return (
    <article class="answer" aria-label={words.value.answer.answer} aria-busy={busy}>
      {answer.thought !== undefined && (
        <ThoughtView thought={answer.thought} thoughtMs={answer.thoughtMs} busy={busy} />
      )}
      <Rounds answer={answer} busy={busy} />
      <div
        class={busy ? 'prose prose-live' : 'prose'}
        data-role="answer"
        data-state={answer.state}
        hidden={heat !== undefined || (!busy && answer.content === '')}
      >
        {answer.format === 'json' && answer.content !== '' ? (
          <CodeBlock language="json" text={formatJson(answer.content)} />
        ) : (
          <AnswerText content={answer.content} />
        )}
      </div>
      {heat !== undefined && <HeatView tokens={heat} />}
      {busy && recovery.value !== undefined && (
        <p class="small soft" role="status">
          {words.value.answer.recovering(phaseWord(recovery.value.phase).toLowerCase())}
        </p>
      )}
      {answer.failure !== undefined && <FailureLine answer={answer} last={last} />}
      <StatLine answer={answer} last={last} busy={busy} isHeatShown={isHeatShown} />
    </article>
  )
}

/** What the model said on the way, and the tools that it called. */
function Rounds({ answer: { rounds = [] }, busy }: { readonly answer: Answer; readonly busy: boolean }) {
  return rounds.map(({ content, calls }, index) => (
    <div class="round" key={index}>
      {content !== '' && (
        <div class="prose">
          <AnswerText content={content} />
        </div>
      )}
      {calls.map((use) => (
        <ToolStep key={use.id} use={use} busy={busy} />
      ))}
    </div>
  ))
}
