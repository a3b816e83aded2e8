import { createEngine, type Engine, type LoadProgress } from '@brasa/runtime'
import { computed, signal } from '@preact/signals'
import { describeFailure, refreshStored, storedModel } from '../state/model.ts'
import { asWork } from '../state/running.ts'
import { type EntryUnit, type RankedEntry, rankEntries, splitEntries } from './ranking.ts'

export const embedder = { id: 'all-minilm-l6-v2', name: 'all-MiniLM-L6-v2', sizeBytes: 23_394_866 } as const

/** `absent`: nothing is fetched before the person asks for it. */
export type SearchState =
  | { readonly kind: 'absent' }
  | { readonly kind: 'loading'; readonly progress?: LoadProgress }
  | { readonly kind: 'reading'; readonly numDone: number; readonly numEntries: number }
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }

export interface Ranking {
  readonly query: string
  readonly ranked: readonly RankedEntry[]
  readonly ms?: number
}

export const text = signal('')
export const unit = signal<EntryUnit>('line')
export const query = signal('')
export const search = signal<SearchState>({ kind: 'absent' })
export const ranking = signal<Ranking | undefined>(undefined)
export const entries = computed(() => splitEntries(text.value, unit.value))
/** The embedder is on this device, so that it may start by itself. */
export const isKept = computed(() => storedModel(embedder.id)?.isComplete === true)

/** Texts of one request: between two of them the page says how far it is. */
const maxTexts = 32
/** After the last key. */
const pauseMs = 250

let engine: Promise<Engine> | undefined
let vectors = new Map<string, Float32Array>()
let current: AbortController | undefined
let timer: ReturnType<typeof setTimeout> | undefined

/** Ranks again once the person pauses; what was read before is not read again. */
export function rankSoon(): void {
  clearTimeout(timer)
  if (search.value.kind !== 'ready' && search.value.kind !== 'reading' && !isKept.value) return
  timer = setTimeout(() => void rank(), pauseMs)
}

/** Reads what is new in the text, loading the embedder first, and ranks it; says how it goes in `search`, never throws. */
export function rank(): Promise<void> {
  return asWork(rankOnce)
}

async function rankOnce(): Promise<void> {
  clearTimeout(timer)
  current?.abort()
  const controller = new AbortController()
  current = controller
  const mine = () => current === controller
  const wanted = query.value.trim()
  const texts = entries.value
  const isLoading = ['absent', 'loading', 'failed'].includes(search.value.kind)
  try {
    if (isLoading) search.value = { kind: 'loading' }
    const start = performance.now()
    // A word to start the embedder with, where there is nothing to read yet.
    await read(texts.length === 0 && wanted === '' ? ['ready'] : texts, controller.signal)
    if (wanted !== '') await read([wanted], controller.signal)
    if (!mine()) return
    ranking.value =
      wanted === '' || texts.length === 0
        ? undefined
        : {
            query: wanted,
            ranked: rankEntries(
              vectors.get(wanted)!,
              texts,
              texts.map((entry) => vectors.get(entry)!),
            ),
            // A load in between is not what a search takes.
            ...(isLoading ? {} : { ms: performance.now() - start }),
          }
    const kept = new Set([...texts, wanted])
    vectors = new Map([...vectors].filter(([entry]) => kept.has(entry)))
    search.value = { kind: 'ready' }
    // What was typed meanwhile waits no longer.
    if (query.value.trim() !== wanted || entries.value !== texts) rankSoon()
    if (isLoading) await refreshStored()
  } catch (error) {
    if (!mine()) return
    search.value = { kind: 'failed', ...describeFailure(error) }
  }
}

/** Stops loading, or reading: what has arrived or was read is kept. */
export function stopSearch(): void {
  clearTimeout(timer)
  current?.abort()
  current = undefined
  if (search.value.kind === 'loading') {
    // A load is shared by all who wait for it, and ends with its worker.
    void engine?.then((started) => started.dispose()).catch(() => undefined)
    engine = undefined
    search.value = { kind: 'absent' }
    void refreshStored()
  } else if (search.value.kind === 'reading') search.value = { kind: 'ready' }
}

/** Makes the vectors of those texts that have none yet. */
async function read(texts: readonly string[], signal: AbortSignal): Promise<void> {
  const fresh = texts.filter((entry) => !vectors.has(entry))
  const show = (state: SearchState) => {
    if (!signal.aborted) search.value = state
  }
  for (let start = 0; start < fresh.length; start += maxTexts) {
    const input = fresh.slice(start, start + maxTexts)
    const reading = { kind: 'reading', numDone: start, numEntries: fresh.length } as const
    if (search.value.kind !== 'loading' && fresh.length > 1) show(reading)
    engine ??= createEngine()
    const { embeddings } = await engine
    const { data } = await embeddings.create(
      { model: embedder.id, input, truncate: true },
      {
        signal,
        onProgress: (progress) => show(progress.phase === 'ready' ? reading : { kind: 'loading', progress }),
      },
    )
    if (search.value.kind === 'loading') show(reading)
    for (const [at, { embedding }] of data.entries()) vectors.set(input[at]!, embedding)
  }
}
