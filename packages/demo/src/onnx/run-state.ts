import {
  createEngine,
  type LoadProgress,
  type OnnxProvider,
  type OnnxReference,
  type OnnxSession,
  type Tensor,
  type ValueInfo,
} from '@brasa/runtime'
import { signal } from '@preact/signals'
import { describeFailure, refreshStored } from '../state/model.ts'
import { asWork } from '../state/running.ts'
import { type InputChoice, initialChoice, makeFeeds } from './feeds.ts'
import { freeDimensions } from './shapes.ts'

interface Failure {
  readonly kind: 'failed'
  readonly code: string
  readonly message: string
}

export type FileState =
  | { readonly kind: 'none' }
  | { readonly kind: 'loading'; readonly progress?: LoadProgress }
  | {
      readonly kind: 'ready'
      readonly inputs: readonly ValueInfo[]
      readonly outputs: readonly ValueInfo[]
    }
  | Failure

export type RunState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'running' }
  | { readonly kind: 'done'; readonly outputs: readonly (readonly [string, Tensor])[]; readonly ms: number }
  | { readonly kind: 'stopped' }
  | Failure

export const reference = signal<OnnxReference | undefined>(undefined)
/** Where the next model runs. */
export const provider = signal<OnnxProvider>('wasm')
export const file = signal<FileState>({ kind: 'none' })
export const run = signal<RunState>({ kind: 'idle' })
/** By input. */
export const choices = signal<Readonly<Record<string, InputChoice>>>({})
/** What the model leaves open, as typed. */
export const sizes = signal<Readonly<Record<string, string>>>({})

/** A model and the worker it runs in; aborting frees both. */
interface Held {
  readonly controller: AbortController
  session?: OnnxSession
}

let held: Held | undefined

/** Opens a model in place of the one at hand; says how it goes in `file`, never throws. */
export async function openModel(wanted: OnnxReference): Promise<void> {
  letGo()
  const holder: Held = { controller: new AbortController() }
  held = holder
  const mine = () => held === holder
  reference.value = wanted
  file.value = { kind: 'loading' }
  run.value = { kind: 'idle' }
  try {
    const { inputs, outputs } = await asWork(() =>
      loadSession(holder, wanted, (progress) => {
        if (mine() && file.value.kind === 'loading') file.value = { kind: 'loading', progress }
      }),
    )
    if (!mine()) return
    choices.value = Object.fromEntries(inputs.map((input) => [input.name, initialChoice(input)]))
    sizes.value = Object.fromEntries(freeDimensions(inputs).map(({ key, initial }) => [key, String(initial)]))
    file.value = { kind: 'ready', inputs, outputs }
    await refreshStored()
  } catch (error) {
    if (!mine()) return
    letGo()
    file.value = { kind: 'failed', ...describeFailure(error) }
  }
}

/** Leaves the model, or stops loading it: what has arrived is kept. */
export function closeModel(): void {
  letGo()
  reference.value = undefined
  file.value = { kind: 'none' }
  run.value = { kind: 'idle' }
}

/** Runs the model with what the form says; says how it goes in `run`, never throws. */
export async function runModel(): Promise<void> {
  await asWork(runOnce)
}

async function runOnce(): Promise<void> {
  if (file.value.kind !== 'ready' || reference.value === undefined || run.value.kind === 'running') return
  const { inputs, outputs } = file.value
  held ??= { controller: new AbortController() }
  const holder = held
  const mine = () => held === holder
  try {
    const feeds = makeFeeds(inputs, choices.value, sizes.value)
    run.value = { kind: 'running' }
    const session = holder.session ?? (await loadSession(holder, reference.value, () => {}))
    const start = performance.now()
    const results = await session.run(feeds)
    const ms = performance.now() - start
    // In the order in which the model names them.
    const named = outputs.flatMap(({ name }) => {
      const tensor = results[name]
      return tensor === undefined ? [] : [[name, tensor] as const]
    })
    if (mine()) run.value = { kind: 'done', outputs: named, ms }
  } catch (error) {
    if (mine()) run.value = { kind: 'failed', ...describeFailure(error) }
  }
}

/** Nothing interrupts a run but the end of its worker; the next run has another one, which loads the model from storage. */
export function stopRun(): void {
  if (run.value.kind !== 'running') return
  letGo()
  run.value = { kind: 'stopped' }
}

function letGo(): void {
  held?.controller.abort()
  held = undefined
}

async function loadSession(
  holder: Held,
  wanted: OnnxReference,
  onProgress: (progress: LoadProgress) => void,
): Promise<OnnxSession> {
  const engine = await createEngine()
  const { signal: aborted } = holder.controller
  const free = () => void engine.dispose().catch(() => undefined)
  if (aborted.aborted) free()
  else aborted.addEventListener('abort', free, { once: true })
  const session = await engine.sessions.create(wanted, {
    provider: provider.value,
    signal: aborted,
    onProgress,
  })
  holder.session = session
  return session
}
