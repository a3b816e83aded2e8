import type { ToolUse } from '../state/answer-parts.ts'
import { words } from '../words/words.ts'
import './tools.css'

interface StepProps {
  readonly use: ToolUse
  /** The answer is being written. */
  readonly busy: boolean
}

/** A call that the model made: which tool, with what, what came of it, and how long it took. */
export function ToolStep({ use: { name, arguments: given, result, failed, tookMs }, busy }: StepProps) {
  const { tools: said } = words.value
  return (
    <section class="step" aria-label={said.call(name)} data-role="tool-call" data-failed={failed === true}>
      <p class="step-head">
        <span class="step-name">{said.names[name as keyof typeof said.names] ?? name}</span>
        <span class="soft figures">
          {result === undefined
            ? busy
              ? said.beingCalled
              : said.notRun
            : tookMs === undefined
              ? ''
              : said.took(tookMs < 1 ? undefined : Math.round(tookMs))}
        </span>
      </p>
      <dl>
        <dt>{said.asked}</dt>
        <dd>
          <code>{given}</code>
        </dd>
        {result !== undefined && (
          <>
            <dt>{said.result}</dt>
            <dd>
              <code>{result}</code>
            </dd>
          </>
        )}
      </dl>
    </section>
  )
}
