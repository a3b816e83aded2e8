import { useMemo } from 'preact/hooks'
import { Announcer, type Heard } from '../chat/announcer.tsx'
import { AnswerText } from '../chat/answer-text.tsx'
import { Bar } from '../controls/bar.tsx'
import { knownBytes, phaseWord, progressFacts } from '../load/progress.ts'
import { modelsHere } from '../models/listed.ts'
import { backendChoices, reviveBackend } from '../state/backend.ts'
import {
  asked,
  type ComparedAnswer,
  choosePane,
  compare,
  isComparing,
  order,
  panes,
  type Side,
} from '../state/comparison.ts'
import { engineWords } from '../words/engine-words.ts'
import { words } from '../words/words.ts'
import { byLine, statsLine } from './comparison-text.ts'

/** One of the two: which model, where, and what it said. */
export function PaneView({ side }: { readonly side: Side }) {
  const { compare: said } = words.value
  const { modelId, backend, state, answer } = panes.value[side]
  const heard = useMemo(() => followPane(side), [side])
  const usable = modelsHere().filter(({ isOnnx, stored }) => !isOnnx && stored?.isComplete)
  return (
    <section class="pane" aria-label={said.pane(side.toUpperCase())}>
      <h2>{said.pane(side.toUpperCase())}</h2>
      <div class="pane-choice">
        <label>
          <span class="visually-hidden">{said.model}</span>
          <select
            class="field"
            value={modelId}
            disabled={isComparing.value}
            onChange={(event) => choosePane(side, { modelId: event.currentTarget.value })}
          >
            {usable.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span class="visually-hidden">{said.backend}</span>
          <select
            class="field"
            value={backend}
            disabled={isComparing.value}
            onChange={(event) => choosePane(side, { backend: reviveBackend(event.currentTarget.value) })}
          >
            {backendChoices.map(({ choice }) => (
              <option key={choice} value={choice}>
                {words.value.device.choices[choice]}
              </option>
            ))}
          </select>
        </label>
      </div>
      {state.kind === 'loading' && <Loading progress={state.progress} />}
      {state.kind === 'failed' && (
        <div class="notice" role="alert">
          <p>{engineWords(state.message)}</p>
          <button
            type="button"
            class="quiet"
            disabled={isComparing.value}
            onClick={() => asked.value !== undefined && compare(asked.value)}
          >
            {said.tryAgain}
          </button>
        </div>
      )}
      {answer !== undefined && <Answer answer={answer} />}
      <Announcer heard={heard} />
    </section>
  )
}

/** A pane's answer, with its model's letter: there are two. */
function followPane(side: Side): () => Heard | undefined {
  return () => {
    const { answer } = panes.value[side]
    if (answer === undefined) return undefined
    return {
      id: answer.id,
      content: answer.text,
      hasEnded: answer.state !== 'waiting' && answer.state !== 'streaming',
      speaker: words.value.compare.pane(side.toUpperCase()),
      isAmongOthers: order.value === 'once',
    }
  }
}

function Loading({ progress }: { readonly progress: Parameters<typeof knownBytes>[0] }) {
  const { loadingIt } = words.value.compare
  const facts = progress === undefined ? [] : [phaseWord(progress.phase), ...progressFacts(progress)]
  const text = facts.join(' · ') || loadingIt
  return (
    <div class="pane-loading figures">
      <Bar label={loadingIt} value={knownBytes(progress)} max={progress?.totalBytes ?? 1} text={text} />
      <p class="small soft">{text}</p>
    </div>
  )
}

function Answer({ answer }: { readonly answer: ComparedAnswer }) {
  const { waits, thinking, stopped, failed } = words.value.compare
  const { state, text, thought, failure } = answer
  const isBusy = state === 'waiting' || state === 'streaming'
  return (
    <article class="pane-answer" aria-busy={isBusy} data-state={state}>
      <p class="small soft">{byLine(answer)}</p>
      <div data-role="compared">
        {text !== '' && <AnswerText content={text} />}
        {state === 'waiting' && <p class="soft">{waits}</p>}
        {state === 'streaming' && text === '' && thought !== '' && <p class="soft">{thinking}</p>}
      </div>
      {state === 'failed' && (
        <p role="alert">
          {failed} {failure !== undefined && engineWords(failure)}
        </p>
      )}
      <p class="pane-stats small figures">
        {statsLine(answer).map((stat) => (
          <span key={stat}>{stat}</span>
        ))}
        {state === 'stopped' && <span>{stopped}</span>}
      </p>
    </article>
  )
}
