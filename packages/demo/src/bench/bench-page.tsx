import type { Signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { Bar } from '../controls/bar.tsx'
import { Empty, Trouble } from '../controls/states.tsx'
import { formatBytes, formatWait } from '../format/units.ts'
import { Frame } from '../frame.tsx'
import { phaseWord, progressFacts } from '../load/progress.ts'
import type { ListedModel } from '../models/listed.ts'
import { referenceName } from '../state/model.ts'
import { sheet } from '../state/page.ts'
import { words } from '../words/words.ts'
import {
  canRun,
  chosenBackends,
  chosenTests,
  isRunning,
  modelName,
  offeredBackends,
  offeredModels,
  offeredTests,
  results,
  run,
  state,
  stop,
  trace,
} from './bench-state.ts'
import { LiveChart } from './live-chart.tsx'
import { ResultsView } from './results-view.tsx'
import { numRounds } from './run-bench.ts'
import { testName } from './test-name.ts'
import './bench.css'

/** A page of its own, in the chat's frame: what it measures must not share a worker with a chat. */
export function BenchPage() {
  const say = words.value.bench
  useEffect(() => {
    const onKeyDown = ({ key, defaultPrevented }: KeyboardEvent) => {
      // An open dialog has its own Esc.
      if (key === 'Escape' && !defaultPrevented && sheet.value === undefined) stop()
    }
    addEventListener('keydown', onKeyDown)
    return () => removeEventListener('keydown', onKeyDown)
  }, [])
  return (
    <Frame>
      <div class="page">
        <div class="page-column bench">
          <header class="page-head">
            <h1>{say.title}</h1>
            <p>{say.intro(numRounds)}</p>
          </header>
          <Choices />
          <div class="acts">
            {isRunning.value ? (
              <button key="stop" type="button" class="quiet" onClick={stop}>
                {say.stop}
              </button>
            ) : (
              <button key="run" type="button" class="button" disabled={!canRun.value} onClick={run}>
                {say.run}
              </button>
            )}
            {!canRun.value && !isRunning.value && <span class="small soft">{say.nothingChosen}</span>}
          </div>
          <Progress />
          {trace.value.seconds.length > 1 && <LiveChart trace={trace.value} />}
          {results.value === undefined && state.value.kind === 'idle' && (
            <Empty icon="benchmark" title={say.notRunYet}>
              {say.notRunHint}
            </Empty>
          )}
          <ResultsView />
          <p class="soft small">{say.noise}</p>
        </div>
      </div>
    </Frame>
  )
}

/** What is here, and what would be fetched first. */
function ModelChoice() {
  const say = words.value.bench
  const { models } = words.value
  const { here, offered } = offeredModels.value
  const chosen = offered.find(({ id }) => id === modelName.value)
  const isKnown = chosen !== undefined || here.some(({ id }) => id === modelName.value)
  return (
    <div class="bench-model">
      <label class="labelled">
        <span>{say.model}</span>
        <select
          id="bench-model"
          class="field"
          disabled={isRunning.value}
          value={modelName.value}
          onChange={(event) => {
            modelName.value = event.currentTarget.value
          }}
        >
          {!isKnown && <option value={modelName.value}>{referenceName(modelName.value)}</option>}
          <Group label={models.here} listed={here} />
          <Group label={models.catalogue} listed={offered} />
        </select>
      </label>
      {chosen?.entry !== undefined && (
        <p class="small soft figures">{say.fetchedFirst(formatBytes(chosen.entry.sizeBytes))}</p>
      )}
    </div>
  )
}

function Group({ label, listed }: { readonly label: string; readonly listed: readonly ListedModel[] }) {
  if (listed.length === 0) return null
  return (
    <optgroup label={label}>
      {listed.map(({ id, name }) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </optgroup>
  )
}

function Choices() {
  const say = words.value.bench
  return (
    <form
      class="bench-choices"
      onSubmit={(event) => {
        event.preventDefault()
        if (canRun.value && !isRunning.value) run()
      }}
    >
      <ModelChoice />
      <fieldset disabled={isRunning.value}>
        <legend class="small soft">{say.runOn}</legend>
        {offeredBackends.map(({ choice }) => (
          <Choice
            key={choice}
            id={choice}
            label={words.value.device.choices[choice]}
            chosen={chosenBackends}
          />
        ))}
      </fieldset>
      <fieldset disabled={isRunning.value}>
        <legend class="small soft">{say.tests}</legend>
        {offeredTests.map((test) => (
          <Choice key={test.id} id={test.id} label={testName(test)} chosen={chosenTests} />
        ))}
      </fieldset>
    </form>
  )
}

interface ChoiceProps<Id> {
  readonly id: Id
  readonly label: string
  readonly chosen: Signal<ReadonlySet<Id>>
}

function Choice<Id extends string>({ id, label, chosen }: ChoiceProps<Id>) {
  return (
    <label class="choice">
      <input
        type="checkbox"
        checked={chosen.value.has(id)}
        onChange={(event) => {
          const others = [...chosen.value].filter((other) => other !== id)
          chosen.value = new Set(event.currentTarget.checked ? [...others, id] : others)
        }}
      />
      {label}
    </label>
  )
}

function Progress() {
  const now = state.value
  const say = words.value.bench
  if (now.kind === 'failed') {
    return (
      <Trouble message={now.message}>
        <button type="button" class="quiet" onClick={run}>
          {say.tryAgain}
        </button>
      </Trouble>
    )
  }
  if (now.kind === 'idle') return null
  const { what, done, total, secondsLeft, progress } = now
  const facts = progress === undefined ? [] : [phaseWord(progress.phase), ...progressFacts(progress)]
  const left = secondsLeft === undefined ? [] : [say.about(formatWait(secondsLeft))]
  return (
    <div class="bench-progress">
      <Bar label={say.title} value={done} max={total} text={say.stepOf(done, total)} />
      <p class="small soft figures" role="status">
        {[what, ...facts, ...left].join(' · ')}
      </p>
    </div>
  )
}
