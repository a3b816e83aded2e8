import type { BenchResults } from '../../../../e2e/bench/schema.mjs'
import { CopyButton } from '../controls/copy.tsx'
import { engineWords } from '../words/engine-words.ts'
import { words } from '../words/words.ts'
import { isRunning, results } from './bench-state.ts'
import { figureOf, shareTextOf } from './results.ts'
import { testName } from './test-name.ts'

/** What was measured so far, a table for each backend, and at the end the ways to take it along. */
export function ResultsView() {
  const measured = results.value
  if (measured === undefined) return null
  const say = words.value.bench
  return (
    <>
      {measured.systems.map((system) => (
        <System key={system.id} measured={measured} system={system} />
      ))}
      {!isRunning.value && (
        <>
          <div class="acts">
            <button type="button" class="quiet" onClick={() => download(measured)}>
              {say.downloadJson}
            </button>
          </div>
          <div class="bench-share">
            <pre class="small">{shareTextOf(measured)}</pre>
            <CopyButton text={() => shareTextOf(measured)} label={say.results} />
          </div>
        </>
      )}
    </>
  )
}

interface SystemProps {
  readonly measured: BenchResults
  readonly system: BenchResults['systems'][number]
}

function System({ measured: { tests, model }, system }: SystemProps) {
  const say = words.value.bench
  return (
    <section class="bench-system" aria-label={system.name}>
      <h2>{system.name}</h2>
      <p class="small soft">
        {[model.file, system.device, system.detail]
          .flatMap((each) => (each ? [engineWords(each)] : []))
          .join(' · ')}
      </p>
      {system.status !== 'ok' && (
        <p class="bench-failed small">{system.reason !== undefined && engineWords(system.reason)}</p>
      )}
      <table class="figures">
        <thead>
          <tr>
            <th scope="col">{say.test}</th>
            <th scope="col">{say.median}</th>
            <th scope="col">{say.smallest}</th>
            <th scope="col">{say.largest}</th>
          </tr>
        </thead>
        <tbody>
          {tests.map((test) => {
            const summary = system.tests[test.id]?.summary
            return (
              <tr key={test.id}>
                <th scope="row">{testName(test)}</th>
                {(['median', 'min', 'max'] as const).map((which) => (
                  <td key={which}>{summary === undefined ? '–' : figureOf(test, summary[which])}</td>
                ))}
              </tr>
            )
          })}
        </tbody>
      </table>
    </section>
  )
}

function download(measured: BenchResults): void {
  const blob = new Blob([`${JSON.stringify(measured, null, 2)}\n`], { type: 'application/json' })
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = `brasa-bench-${measured.startedAt.slice(0, 10)}.json`
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}
