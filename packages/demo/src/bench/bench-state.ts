import type { LoadProgress } from '@brasa/runtime'
import { computed, signal } from '@preact/signals'
import type { BenchResults, SystemResult } from '../../../../e2e/bench/schema.mjs'
import { parseTests } from '../../../../e2e/bench/tests.mjs'
import { modelsHere, modelsOnOffer } from '../models/listed.ts'
import { backendChoices, type OfferedBackend } from '../state/backend.ts'
import { listModels, rememberedModel } from '../state/model.ts'
import { asWork } from '../state/running.ts'
import { words } from '../words/words.ts'
import type { SpeedTrace } from './live-chart.tsx'
import { adapterOf, type MeasuredModel, resultsOf } from './results.ts'
import { runBench } from './run-bench.ts'

export type BenchState =
  | { readonly kind: 'idle' }
  | {
      readonly kind: 'running'
      readonly what: string
      readonly done: number
      readonly total: number
      readonly secondsLeft?: number
      readonly progress?: LoadProgress
    }
  | { readonly kind: 'failed'; readonly message: string }

/** All but the automatic choice: here each is measured by its name. */
export const offeredBackends = backendChoices.filter(({ choice }) => choice !== 'auto')
export const offeredTests = parseTests('pp128,pp512,tg64,tg128,ttft,load')

export const state = signal<BenchState>({ kind: 'idle' })
export const modelName = signal('smollm2-135m-instruct')
/** What may be measured: what is on this device, and what may be fetched without more ado. */
export const offeredModels = computed(() => {
  const here = modelsHere().filter(({ isOnnx, stored }) => !isOnnx && stored?.isComplete)
  // Terms are accepted on the page of models.
  const offered = modelsOnOffer().filter(({ entry }) => entry?.terms === undefined)
  return { here, offered }
})
export const chosenBackends = signal<ReadonlySet<OfferedBackend>>(
  new Set(offeredBackends.slice(0, 1).map(({ choice }) => choice)),
)
export const chosenTests = signal<ReadonlySet<string>>(new Set(['pp128', 'tg64', 'ttft', 'load']))
export const trace = signal<SpeedTrace>({ seconds: [], tokensPerSecond: [] })
/** Of the last run, also while it goes on. */
export const results = signal<BenchResults | undefined>(undefined)

export const isRunning = computed(() => state.value.kind === 'running')
export const canRun = computed(
  () => modelName.value.trim() !== '' && chosenBackends.value.size > 0 && chosenTests.value.size > 0,
)

/** Begins with the model that the chat used last, if it is here. */
export async function chooseModel(): Promise<void> {
  await listModels()
  const wanted = rememberedModel()
  if (offeredModels.value.here.some(({ id }) => id === wanted)) modelName.value = wanted
}

let controller: AbortController | undefined

export const stop = () => controller?.abort()

/** Runs what is chosen; keeps what was measured when it is stopped. */
export function run(): Promise<void> {
  return asWork(measure)
}

async function measure(): Promise<void> {
  controller = new AbortController()
  const { signal: stopped } = controller
  const start = performance.now()
  const startedAt = new Date()
  const tests = offeredTests.filter(({ id }) => chosenTests.value.has(id))
  const backends = offeredBackends
    .map(({ choice }) => choice)
    .filter((choice) => chosenBackends.value.has(choice))
  const systems = new Map<string, SystemResult>()
  let model: MeasuredModel = { id: modelName.value, file: modelName.value, bytes: 0 }
  results.value = undefined
  trace.value = { seconds: [], tokensPerSecond: [] }
  state.value = { kind: 'running', what: words.value.bench.starting, done: 0, total: 1 }
  try {
    const adapter = await adapterOf()
    await runBench({ model: modelName.value.trim(), backends, tests }, stopped, {
      onStep: (step) => {
        state.value = { kind: 'running', ...step }
      },
      onLoad: (progress) => {
        if (state.value.kind === 'running') state.value = { ...state.value, progress }
      },
      onSpeed: (tokensPerSecond) => {
        trace.value = {
          seconds: [...trace.value.seconds, (performance.now() - start) / 1000],
          tokensPerSecond: [...trace.value.tokensPerSecond, tokensPerSecond],
        }
      },
      onSystem: (system, engine) => {
        systems.set(system.id, system)
        if (engine !== undefined) {
          const { id, name, quantisation, sizeBytes } = engine.model
          model = { id, file: `${name}, ${quantisation}`, bytes: sizeBytes }
        }
        const seconds = (performance.now() - start) / 1000
        results.value = resultsOf(model, tests, [...systems.values()], startedAt, seconds, adapter)
      },
    })
    state.value = { kind: 'idle' }
  } catch (error) {
    state.value = stopped.aborted
      ? { kind: 'idle' }
      : { kind: 'failed', message: error instanceof Error ? error.message : String(error) }
  }
}
