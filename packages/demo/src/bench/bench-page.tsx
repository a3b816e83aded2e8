import type { Signal } from '@preact/signals'
import { Bar } from '../controls/bar.tsx'
import { CopyButton } from '../controls/copy.tsx'
import { Ember } from '../controls/icon.tsx'
import { formatWait } from '../format/units.ts'
import { phaseWord, progressFacts } from '../load/progress.ts'
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
import { figureOf, shareTextOf } from './results.ts'
import { numRounds } from './run-bench.ts'
import './bench.css'

export function BenchPage() {
  return (
    <main class="bench">
      <a class="bench-brand" href="./">
        <Ember />
        Brasa
      </a>
      <h1>Benchmark</h1>
      <p class="soft">
        {`How fast a model runs in this browser on this device: ${numRounds} rounds, after one that does not count. Nothing leaves this device.`}
      </p>
      <Choices />
      <div class="bench-acts">
        {isRunning.value ? (
          <button type="button" class="quiet" onClick={stop}>
            Stop
          </button>
        ) : (
          <button type="button" class="button" disabled={!canRun.value} onClick={run}>
            Run
          </button>
        )}
      </div>
      <Progress />
      {trace.value.seconds.length > 1 && <LiveChart trace={trace.value} />}
      <Results />
      <p class="soft small">
        Machines are noisy: other tabs, heat and battery change these figures. Run it more than once.
      </p>
    </main>
  )
}

function Choices() {
  return (
    <form
      class="bench-choices"
      onSubmit={(event) => {
        event.preventDefault()
        if (canRun.value && !isRunning.value) run()
      }}
    >
      <label>
        <span class="small soft">Model</span>
        <input
          class="field"
          spellcheck={false}
          disabled={isRunning.value}
          value={modelName.value}
          onInput={(event) => {
            modelName.value = event.currentTarget.value
          }}
        />
      </label>
      <fieldset disabled={isRunning.value}>
        <legend class="small soft">Run on</legend>
        {offeredBackends.map(({ choice, label }) => (
          <Choice key={choice} id={choice} label={label} chosen={chosenBackends} />
        ))}
      </fieldset>
      <fieldset disabled={isRunning.value}>
        <legend class="small soft">Tests</legend>
        {offeredTests.map(({ id, name }) => (
          <Choice key={id} id={id} label={name} chosen={chosenTests} />
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
    <label class="bench-choice">
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
  if (now.kind === 'failed') {
    return (
      <p class="bench-failed" role="alert">
        {now.message}
      </p>
    )
  }
  if (now.kind === 'idle') return null
  const { what, done, total, secondsLeft, progress } = now
  const facts = progress === undefined ? [] : [phaseWord(progress.phase), ...progressFacts(progress)]
  const left = secondsLeft === undefined ? [] : [`about ${formatWait(secondsLeft)} left`]
  const words = [what, ...facts, ...left].join(' · ')
  return (
    <div class="bench-progress">
      <Bar label="Benchmark" value={done} max={total} text={`${done} of ${total}`} />
      <p class="small soft figures" role="status">
        {words}
      </p>
    </div>
  )
}

function Results() {
  const measured = results.value
  if (measured === undefined) return null
  const { tests, systems, model } = measured
  const download = () => {
    const blob = new Blob([`${JSON.stringify(measured, null, 2)}\n`], { type: 'application/json' })
    const link = document.createElement('a')
    link.href = URL.createObjectURL(blob)
    link.download = `brasa-bench-${measured.startedAt.slice(0, 10)}.json`
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
  }
  return (
    <>
      {systems.map((system) => (
        <section class="bench-system" key={system.id}>
          <h2>{system.name}</h2>
          <p class="small soft">{[model.file, system.device, system.detail].filter(Boolean).join(' · ')}</p>
          {system.status !== 'ok' && <p class="bench-failed small">{system.reason}</p>}
          <table class="figures">
            <thead>
              <tr>
                <th scope="col">Test</th>
                <th scope="col">Median</th>
                <th scope="col">Smallest</th>
                <th scope="col">Largest</th>
              </tr>
            </thead>
            <tbody>
              {tests.map((test) => {
                const summary = system.tests[test.id]?.summary
                return (
                  <tr key={test.id}>
                    <th scope="row">{test.name}</th>
                    {(['median', 'min', 'max'] as const).map((which) => (
                      <td key={which}>{summary === undefined ? '–' : figureOf(test, summary[which])}</td>
                    ))}
                  </tr>
                )
              })}
            </tbody>
          </table>
        </section>
      ))}
      {!isRunning.value && (
        <>
          <div class="bench-acts">
            <button type="button" class="quiet" onClick={download}>
              Download JSON
            </button>
          </div>
          <div class="bench-share">
            <pre class="small">{shareTextOf(measured)}</pre>
            <CopyButton text={() => shareTextOf(measured)} label="results" />
          </div>
        </>
      )}
    </>
  )
}
