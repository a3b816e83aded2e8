import { createEngine, type Engine, type LoadProgress } from '@brasa/runtime'
import { batch, signal } from '@preact/signals'
import type { OfferedBackend } from './backend.ts'
import { rememberSpeed } from './measured.ts'
import { describeFailure } from './model.ts'
import { beginWork } from './running.ts'
import { generationParameters, settings } from './settings.ts'

export type Side = 'a' | 'b'
export const sides = ['a', 'b'] as const

/** One of the two that answer the same prompt. */
export interface Pane {
  /** Stored; empty where none is. */
  readonly modelId: string
  readonly backend: OfferedBackend
  readonly state:
    | { readonly kind: 'idle' }
    | { readonly kind: 'loading'; readonly progress?: LoadProgress }
    | { readonly kind: 'ready' }
    | { readonly kind: 'failed'; readonly message: string }
  readonly answer?: ComparedAnswer
}

export interface ComparedAnswer {
  readonly id: string
  readonly state: 'waiting' | 'streaming' | 'done' | 'stopped' | 'failed'
  readonly thought: string
  readonly text: string
  /** What answered: its name, and where it ran. */
  readonly by: { readonly name: string; readonly backend: string; readonly adapter: string }
  readonly stats?: { readonly tokens: number; readonly ttftMs: number; readonly tokensPerSecond: number }
  readonly failure?: string
}

/** `turn`: one after the other, each alone on the machine; `once`: together. */
export type Order = 'turn' | 'once'

const emptyPane: Pane = { modelId: '', backend: 'auto', state: { kind: 'idle' } }

export const panes = signal<Readonly<Record<Side, Pane>>>({ a: emptyPane, b: emptyPane })
export const order = signal<Order>('turn')
export const comparePrompt = signal('')
/** What the answers that are shown answer. */
export const asked = signal<string | undefined>(undefined)
export const isComparing = signal(false)

/** Two engines at most, apart from the chat's. */
const engines = new Map<Side, Engine>()
let stopper: AbortController | undefined

function changePane(side: Side, next: Partial<Pane>): void {
  panes.value = { ...panes.value, [side]: { ...panes.value[side], ...next } }
}

function changeAnswer(side: Side, next: Partial<ComparedAnswer>): void {
  const { answer } = panes.value[side]
  if (answer !== undefined) changePane(side, { answer: { ...answer, ...next } })
}

/** Another model, or another place to run it: the old one goes. */
export async function choosePane(
  side: Side,
  choice: Partial<Pick<Pane, 'modelId' | 'backend'>>,
): Promise<void> {
  changePane(side, { ...choice, state: { kind: 'idle' } })
  await putAway(side)
}

export function swapPanes(): void {
  if (isComparing.value) return
  const [a, b] = sides.map((side) => engines.get(side))
  engines.clear()
  if (b !== undefined) engines.set('a', b)
  if (a !== undefined) engines.set('b', a)
  panes.value = { a: panes.value.b, b: panes.value.a }
}

/** Frees both engines; what was answered stays. */
export async function leaveComparison(): Promise<void> {
  stopComparing()
  await Promise.all(sides.map(putAway))
  for (const side of sides)
    if (panes.value[side].state.kind !== 'failed') changePane(side, { state: { kind: 'idle' } })
}

export function stopComparing(): void {
  stopper?.abort()
}

async function putAway(side: Side): Promise<void> {
  const engine = engines.get(side)
  engines.delete(side)
  await engine?.dispose().catch(() => undefined)
}

/** Asks both; loads first what is not loaded, one after the other. Says how it goes in `panes`, never throws. */
export async function compare(prompt: string): Promise<void> {
  if (isComparing.value) return
  const controller = new AbortController()
  stopper = controller
  const endWork = beginWork()
  batch(() => {
    isComparing.value = true
    asked.value = prompt
    for (const side of sides) {
      const { answer: _, ...pane } = panes.value[side]
      panes.value = { ...panes.value, [side]: pane }
    }
  })
  try {
    for (const side of sides) await loadPane(side, controller.signal)
    for (const side of sides) waitForTurn(side)
    if (order.value === 'once')
      await Promise.all(sides.map((side) => answer(side, prompt, controller.signal)))
    else for (const side of sides) await answer(side, prompt, controller.signal)
  } finally {
    isComparing.value = false
    endWork()
  }
}

async function loadPane(side: Side, signal: AbortSignal): Promise<void> {
  if (engines.has(side) || signal.aborted) return
  const { modelId, backend } = panes.value[side]
  changePane(side, { state: { kind: 'loading' } })
  try {
    const engine = await createEngine({
      model: modelId,
      backend,
      signal,
      onProgress: (progress) => {
        if (panes.value[side].state.kind === 'loading')
          changePane(side, { state: { kind: 'loading', progress } })
      },
    })
    engines.set(side, engine)
    changePane(side, { state: { kind: 'ready' } })
  } catch (error) {
    const { code, message } = describeFailure(error)
    changePane(side, { state: code === 'aborted' ? { kind: 'idle' } : { kind: 'failed', message } })
  }
}

function waitForTurn(side: Side): void {
  const engine = engines.get(side)
  if (engine === undefined) return
  const { backend, adapter } = engine.device
  const by = { name: engine.model.name, backend, adapter }
  changePane(side, { answer: { id: crypto.randomUUID(), state: 'waiting', thought: '', text: '', by } })
}

async function answer(side: Side, prompt: string, signal: AbortSignal): Promise<void> {
  const engine = engines.get(side)
  if (engine === undefined) return
  if (signal.aborted) return changeAnswer(side, { state: 'stopped' })
  changeAnswer(side, { state: 'streaming' })
  const spoken = { thought: '', text: '' }
  let frame: number | undefined
  try {
    const { systemPrompt } = settings.value
    const system = systemPrompt === '' ? [] : [{ role: 'system' as const, content: systemPrompt }]
    const stream = await engine.chat.completions.create(
      {
        messages: [...system, { role: 'user', content: prompt }],
        stream: true,
        ...generationParameters(settings.value),
      },
      { signal },
    )
    for await (const { choices, usage, timings } of stream) {
      spoken.thought += choices[0]?.delta.reasoning_content ?? ''
      spoken.text += choices[0]?.delta.content ?? ''
      frame ??= requestAnimationFrame(() => {
        frame = undefined
        changeAnswer(side, spoken)
      })
      if (usage == null || timings === undefined) continue
      const { ttftMs, decodeTokensPerSecond: tokensPerSecond } = timings
      const stats = { tokens: usage.completion_tokens, ttftMs, tokensPerSecond }
      changeAnswer(side, { stats })
      // Together they share the machine: that is no measure of either.
      if (order.value === 'turn') rememberSpeed(engine.model.id, engine.device.backend, stats, Date.now())
    }
    changeAnswer(side, { ...spoken, state: signal.aborted ? 'stopped' : 'done' })
  } catch (error) {
    const { code, message } = describeFailure(error)
    const wasStopped = signal.aborted || code === 'aborted' || code === 'disposed'
    changeAnswer(side, {
      ...spoken,
      ...(wasStopped ? { state: 'stopped' } : { state: 'failed', failure: message }),
    })
  } finally {
    if (frame !== undefined) cancelAnimationFrame(frame)
  }
}
