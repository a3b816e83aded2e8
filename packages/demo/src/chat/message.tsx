import { BranchButton, BranchSwitcher } from '../chats/branch-switcher.tsx'
import { CopyButton } from '../controls/copy.tsx'
import { formatCount, formatMeasured, formatRate } from '../format/units.ts'
import { phaseWords } from '../load/progress.ts'
import { answerAgain, answering, reloadAndAnswer } from '../state/answering.ts'
import { startChat } from '../state/chats.ts'
import type { Answer } from '../state/conversation.ts'
import { model, recovery } from '../state/model.ts'
import { AnswerText } from './answer-text.tsx'
import { ThoughtView } from './thought.tsx'

interface AnswerProps {
  readonly answer: Answer
  readonly last: boolean
}

export function AnswerView({ answer, last }: AnswerProps) {
  const busy = answer.state === 'waiting' || answer.state === 'streaming'
  return (
    <article class="answer" aria-label="Answer" aria-busy={busy}>
      {answer.thought !== undefined && (
        <ThoughtView thought={answer.thought} thoughtMs={answer.thoughtMs} busy={busy} />
      )}
      <div
        class={busy ? 'prose prose-live' : 'prose'}
        data-role="answer"
        data-state={answer.state}
        hidden={!busy && answer.content === ''}
      >
        <AnswerText content={answer.content} />
      </div>
      {busy && recovery.value !== undefined && (
        <p
          class="small soft"
          role="status"
        >{`The device was lost. Loading the model again: ${phaseWords[recovery.value.phase].toLowerCase()}…`}</p>
      )}
      {answer.failure !== undefined && <FailureLine answer={answer} last={last} />}
      {!busy && <StatLine answer={answer} last={last} />}
    </article>
  )
}

function StatLine({ answer, last }: AnswerProps) {
  const { stats, state, content } = answer
  const canAsk = last && model.value.kind === 'ready' && answering.value === undefined
  return (
    <div class="stat figures">
      {state === 'stopped' && <span>Stopped</span>}
      {state === 'long' && (
        <span title="Raise Longest answer in Settings for more.">Ended at the longest answer</span>
      )}
      {stats !== undefined && (
        <>
          <span>{`${formatCount(stats.tokens)} ${stats.tokens === 1 ? 'token' : 'tokens'}`}</span>
          <span>{`First after ${formatMeasured(stats.ttftMs)}`}</span>
          {stats.tokens > 1 && <span>{formatRate(stats.tokensPerSecond)}</span>}
        </>
      )}
      <span class="stat-acts">
        <BranchSwitcher id={answer.id} />
        {content !== '' && <CopyButton text={() => content} label="answer" />}
        {canAsk && answer.failure === undefined && (
          <button type="button" class="word" onClick={() => answerAgain(answer.id)}>
            Again
          </button>
        )}
        {content !== '' && <BranchButton id={answer.id} />}
      </span>
    </div>
  )
}

/** Codes after which the engine at hand is of no more use. */
const needsReload = new Set(['device_lost', 'worker_lost', 'disposed', 'out_of_memory'])

function FailureLine({ answer, last }: AnswerProps) {
  const { code, message } = answer.failure!
  return (
    <div class="notice" role="alert" data-code={code}>
      <p>{message}</p>
      {last && failureAction(answer)}
    </div>
  )
}

function failureAction({ id, failure }: Answer) {
  const { code } = failure!
  const idle = answering.value === undefined
  if (code === 'context_length_exceeded') {
    return (
      <button type="button" class="quiet" onClick={startChat}>
        New chat
      </button>
    )
  }
  if (needsReload.has(code)) {
    return (
      <button
        type="button"
        class="quiet"
        disabled={!idle || model.value.kind === 'loading'}
        onClick={() => reloadAndAnswer(id, code)}
      >
        Reload model
      </button>
    )
  }
  return (
    <button
      type="button"
      class="quiet"
      disabled={!idle || model.value.kind !== 'ready'}
      onClick={() => answerAgain(id)}
    >
      Again
    </button>
  )
}
