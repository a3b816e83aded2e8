import type { Signal } from '@preact/signals'
import { Bar } from '../controls/bar.tsx'
import { Ember, Icon, Wordmark } from '../controls/icon.tsx'
import { Empty, Trouble } from '../controls/states.tsx'
import { formatWait } from '../format/units.ts'
import { phaseWord, progressFacts } from '../load/progress.ts'
import { hasNav } from '../state/page.ts'
import { words } from '../words/words.ts'
import {
  canRun,
  chosenBackends,
  chosenTests,
  isRunning,
  modelName,
  offeredBackends,
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
import '../app.css'
import '../nav/side.css'
import './bench.css'

/** A page of its own, in the chat's frame: what it measures must not share a worker with a chat. */
export function BenchPage() {
  const say = words.value.bench
  return (
    <>
      {hasNav.value && <Side />}
      <main>
        {!hasNav.value && <Head />}
        <div class="page">
          <div class="page-column bench">
            <div>
              <h1>{say.title}</h1>
              <p class="soft">{say.intro(numRounds)}</p>
            </div>
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
      </main>
    </>
  )
}

/** The parts of the page, as the chat has them. */
function Side() {
  const { app } = words.value
  return (
    <div class="side side-left">
      <a class="brand bench-brand" href="./" aria-label={words.value.bench.backToChat}>
        <Ember />
        <Wordmark />
      </a>
      <nav aria-label={app.partsOfThePage}>
        <ul class="parts">
          {(['chat', 'models', 'compare', 'onnx', 'api'] as const).map((part) => (
            <li key={part}>
              <a class="part" href={part === 'chat' ? './' : `./#${part}`}>
                <Icon name={part} />
                {app[part]}
              </a>
            </li>
          ))}
          <li>
            <a class="part" href="bench.html" aria-current="page">
              <Icon name="benchmark" />
              {app.benchmark}
            </a>
          </li>
        </ul>
      </nav>
    </div>
  )
}

function Head() {
  return (
    <header class="head">
      <a class="quiet bench-back" href="./">
        <Icon name="left" />
        {words.value.bench.backToChat}
      </a>
    </header>
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
      <label class="labelled">
        <span>{say.model}</span>
        <input
          class="field"
          spellcheck={false}
          autocapitalize="off"
          disabled={isRunning.value}
          value={modelName.value}
          onInput={(event) => {
            modelName.value = event.currentTarget.value
          }}
        />
      </label>
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
