import type { Signal } from '@preact/signals'
import { BranchButton, BranchSwitcher } from '../chats/branch-switcher.tsx'
import { CopyButton } from '../controls/copy.tsx'
import { Icon } from '../controls/icon.tsx'
import { formatCount, formatMeasured, formatRate } from '../format/units.ts'
import { answerOptions, canAnswer } from '../state/answer-options.ts'
import { answerAgain, answering } from '../state/answering.ts'
import type { Answer } from '../state/conversation.ts'
import { model } from '../state/model.ts'
import { words } from '../words/words.ts'
import './stat.css'

interface StatProps {
  readonly answer: Answer
  readonly last: boolean
  readonly busy: boolean
  readonly isHeatShown: Signal<boolean>
}

/** What was measured, and what can be done with the answer. It has its place from the beginning, so that no text moves at the end. */
export function StatLine({ answer, last, busy, isHeatShown }: StatProps) {
  const { answer: said } = words.value
  return (
    <div class="stat figures">
      <span class="stat-figures">
        {busy ? (
          <span>{answer.state === 'waiting' ? said.reading : said.writing}</span>
        ) : (
          <Figures answer={answer} />
        )}
      </span>
      <span class={last ? 'stat-acts' : 'stat-acts stat-rests'}>
        {!busy && <Acts answer={answer} last={last} isHeatShown={isHeatShown} />}
      </span>
    </div>
  )
}

function Figures({ answer: { stats, state } }: { readonly answer: Answer }) {
  const { answer: said } = words.value
  return (
    <>
      {state === 'stopped' && <span>{said.stopped}</span>}
      {state === 'long' && <span title={said.longHint}>{said.long}</span>}
      {stats !== undefined && (
        <>
          <span>{said.tokens(stats.tokens, formatCount(stats.tokens))}</span>
          <span>{said.firstAfter(formatMeasured(stats.ttftMs))}</span>
          {stats.tokens > 1 && stats.tokensPerSecond > 0 && <span>{formatRate(stats.tokensPerSecond)}</span>}
          {stats.contextLength !== undefined && (
            <span title={said.contextHint}>
              {said.context(formatCount(stats.contextTokens), formatCount(stats.contextLength))}
            </span>
          )}
        </>
      )}
    </>
  )
}

function Acts({ answer, last, isHeatShown }: Omit<StatProps, 'busy'>) {
  const { answer: said } = words.value
  const canAsk =
    last &&
    model.value.kind === 'ready' &&
    answering.value === undefined &&
    answer.failure === undefined &&
    canAnswer(answerOptions.value)
  return (
    <>
      <BranchSwitcher id={answer.id} />
      {answer.content !== '' && <CopyButton text={() => answer.content} label={said.theAnswer} isIcon />}
      {canAsk && (
        <button
          type="button"
          class="icon-button icon-small"
          aria-label={said.again}
          title={said.again}
          onClick={() => answerAgain(answer.id)}
        >
          <Icon name="again" />
        </button>
      )}
      {answer.content !== '' && answering.value === undefined && <BranchButton id={answer.id} />}
      {answer.probabilities !== undefined && (
        <button
          type="button"
          class="icon-button icon-small"
          aria-label={said.probabilities}
          title={said.probabilities}
          aria-pressed={isHeatShown.value}
          onClick={() => {
            isHeatShown.value = !isHeatShown.value
          }}
        >
          <Icon name="heat" />
        </button>
      )}
    </>
  )
}
