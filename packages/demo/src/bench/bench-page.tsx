import { createEngine, type Engine, type LoadProgress } from '@brasa/runtime'
import { signal } from '@preact/signals'
import { Ember } from '../controls/icon.tsx'
import { backendNames } from '../format/backend-names.ts'
import { formatCount, formatMeasured, formatSpeed } from '../format/units.ts'
import { phaseWords, progressFacts } from '../load/progress.ts'
import { type Measured, type Measurement, measure, measurements } from './measure.ts'
import './bench.css'

type BenchState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'loading'; readonly progress?: LoadProgress }
  | { readonly kind: 'running'; readonly what: Measurement }
  | { readonly kind: 'failed'; readonly message: string }

const state = signal<BenchState>({ kind: 'idle' })
const engine = signal<Engine | undefined>(undefined)
const results = signal<ReadonlyMap<Measurement['id'], Measured>>(new Map())
const modelName = signal('smollm2-135m-instruct')
let controller: AbortController | undefined

/** Runs all measurements in order; keeps what was measured when it is stopped. */
async function runAll(): Promise<void> {
  controller = new AbortController()
  const { signal: stop } = controller
  results.value = new Map()
  try {
    state.value = { kind: 'loading' }
    if (engine.value !== undefined && engine.value.model.id !== modelName.value) {
      await engine.value.dispose()
      engine.value = undefined
    }
    engine.value ??= await createEngine({
      model: modelName.value,
      signal: stop,
      onProgress: (progress) => {
        if (state.value.kind === 'loading') state.value = { kind: 'loading', progress }
      },
    })
    state.value = { kind: 'running', what: measurements[0] }
    // The first run pays for what is compiled on first use.
    await measure(engine.value, { promptTokens: 16, answerTokens: 8, figure: 'decode' }, stop)
    for (const what of measurements) {
      state.value = { kind: 'running', what }
      const measured = await measure(engine.value, what, stop)
      results.value = new Map([...results.value, [what.id, measured]])
    }
    state.value = { kind: 'idle' }
  } catch (error) {
    state.value = stop.aborted
      ? { kind: 'idle' }
      : { kind: 'failed', message: error instanceof Error ? error.message : String(error) }
  }
}

export function BenchPage() {
  const busy = state.value.kind === 'loading' || state.value.kind === 'running'
  return (
    <main class="bench">
      <a class="bench-brand" href="./">
        <Ember />
        Brasa
      </a>
      <h1>Benchmark</h1>
      <p class="soft">
        How fast a model runs in this browser on this machine. Each row is one run, after one that does not
        count.
      </p>
      <div class="bench-acts">
        <input
          class="field"
          aria-label="Model"
          spellcheck={false}
          disabled={busy}
          value={modelName.value}
          onInput={(event) => {
            modelName.value = event.currentTarget.value
          }}
        />
        {busy ? (
          <button type="button" class="button" onClick={() => controller?.abort()}>
            Stop
          </button>
        ) : (
          <button type="button" class="button" disabled={modelName.value.trim() === ''} onClick={runAll}>
            Run
          </button>
        )}
      </div>
      <StateLine />
      <Device />
      <Results />
      <p class="soft small">
        Machines are noisy: other tabs, heat and battery change these figures. Compare ratios on one machine,
        and run it more than once.
      </p>
    </main>
  )
}

function StateLine() {
  const now = state.value
  if (now.kind === 'failed') {
    return (
      <p class="bench-failed" role="alert">
        {now.message}
      </p>
    )
  }
  let words = '\u00a0'
  if (now.kind === 'loading') {
    const { progress } = now
    words =
      progress === undefined
        ? 'Starting'
        : [phaseWords[progress.phase], ...progressFacts(progress)].join(' · ')
  }
  if (now.kind === 'running') words = `Measuring: ${now.what.name}`
  return (
    <p class="small soft figures" role="status">
      {words}
    </p>
  )
}

function Device() {
  if (engine.value === undefined) return null
  const { device, model } = engine.value
  return (
    <p class="small">
      {`${model.name}, ${model.quantisation}: ${backendNames[device.backend]} on ${device.adapter}. ${device.reason}`}
    </p>
  )
}

function Results() {
  const near = results.value.get('near')
  const far = results.value.get('far')
  return (
    <table class="figures">
      <thead>
        <tr>
          <th scope="col">Measured</th>
          <th scope="col">Tokens/s</th>
          <th scope="col">First after</th>
          <th scope="col">Tokens</th>
        </tr>
      </thead>
      <tbody>
        {measurements.map(({ id, name }) => {
          const measured = results.value.get(id)
          return (
            <tr key={id}>
              <th scope="row">{name}</th>
              <td>{measured === undefined ? '–' : formatSpeed(measured.tokensPerSecond)}</td>
              <td>{measured === undefined ? '–' : formatMeasured(measured.ttftMs)}</td>
              <td>
                {measured === undefined
                  ? '–'
                  : `${formatCount(measured.promptTokens)} + ${formatCount(measured.answerTokens)}`}
              </td>
            </tr>
          )
        })}
        <tr>
          <th scope="row">Position 2,000 takes, of position 100</th>
          <td>
            {near === undefined || far === undefined
              ? '–'
              : `${(near.tokensPerSecond / far.tokensPerSecond).toFixed(2)} ×`}
          </td>
          <td />
          <td />
        </tr>
      </tbody>
    </table>
  )
}
