import {
  type BrasaError,
  createEngine,
  type Engine,
  type EngineWarning,
  isBrasaError,
  type LoadProgress,
  listCatalogue,
  listStoredModels,
  type ModelReference,
  pinStoredModel,
  removeStoredModel,
  type StoredModel,
} from '@brasa/runtime'
import { computed, signal } from '@preact/signals'
import { checkConnection } from '../offline/connection.ts'
import { backend, type OfferedBackend, rememberBackend } from './backend.ts'
import { refreshRoom } from './device-storage.ts'
import { asWork } from './running.ts'
import { readStored, writeStored } from './storage.ts'

type MemoryInfo = Awaited<ReturnType<Engine['memory']>>
type CatalogueEntry = Awaited<ReturnType<typeof listCatalogue>>[number]

/** Where the model is. `absent`: nothing is loaded because the person has not asked for it, or has cancelled. */
export type ModelState =
  | { readonly kind: 'checking' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'loading'; readonly progress?: LoadProgress }
  | { readonly kind: 'ready'; readonly engine: Engine }
  | {
      readonly kind: 'failed'
      readonly code: string
      readonly message: string
      /** Of a model that is too large: how much there is. */
      readonly limitBytes?: number
    }

const referenceKey = 'brasa.model'
const defaultModel = 'smollm2-135m-instruct'

export const model = signal<ModelState>({ kind: 'checking' })
export const reference = signal<ModelReference>(defaultModel)
export const warnings = signal<readonly EngineWarning[]>([])
/** How a model that was lost is being loaded again, in the middle of a chat. */
export const recovery = signal<LoadProgress | undefined>(undefined)
export const memory = signal<MemoryInfo | undefined>(undefined)
export const catalogue = signal<readonly CatalogueEntry[]>([])
export const storedModels = signal<readonly StoredModel[]>([])

/** Every model that was seen in storage since the page was opened. */
const seenHere = new Set<string>()

/** What is loaded will have to be fetched again. */
export const isOnlyInMemory = computed(() =>
  warnings.value.some(({ code }) => code === 'quota_exceeded' || code === 'storage_unavailable'),
)

/** The model answers, and what it was loaded from is no longer on this device. */
export const isGone = computed(() => {
  const stored = storedModels.value
  if (model.value.kind !== 'ready' || isOnlyInMemory.value) return false
  const { id } = model.value.engine.model
  return seenHere.has(id) && !stored.some((each) => each.id === id)
})

let loading: AbortController | undefined

/** What there is to choose from, for a page that loads nothing by itself. */
export async function listModels(): Promise<void> {
  await Promise.all([refreshCatalogue(), refreshStored()])
}

/** The model that was used last; the one that comes with the page before there is any. */
export function rememberedModel(): string {
  const remembered = readStored(referenceKey)
  return typeof remembered === 'string' ? remembered : defaultModel
}

/** On a first visit nothing is fetched unasked; a model that is on this device loads by itself. */
export async function openPage(): Promise<void> {
  const remembered = readStored(referenceKey)
  const listed = refreshCatalogue()
  // Another tab, or the browser's settings, may have changed what is stored.
  addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') void refreshStored()
  })
  await refreshStored()
  // A file that storage no longer has cannot be fetched again.
  if (typeof remembered === 'string' && (!remembered.startsWith('file:') || storedModel(remembered))) {
    reference.value = remembered
  }
  if (storedModel(reference.value)?.isComplete) await loadModel(reference.value)
  else {
    // The offer says how large the model is, if that can be known soon.
    await Promise.race([listed, new Promise((resolve) => setTimeout(resolve, 1000))])
    if (model.value.kind === 'checking') model.value = { kind: 'absent' }
  }
}

/** What storage holds of a model named by catalogue or by address, finished or not. */
export function storedModel(wanted: ModelReference): StoredModel | undefined {
  if (typeof wanted !== 'string') return undefined
  const address = URL.canParse(wanted, location.href) ? new URL(wanted, location.href).href : wanted
  return storedModels.value.find(({ id }) => id === wanted || id === address)
}

/** What to remember a model by: a file is kept under its name. */
function lastingReference(wanted: ModelReference): string | undefined {
  if (typeof wanted === 'string') return wanted
  const files = [wanted].flat().filter((part) => part instanceof File)
  return files.length === [wanted].flat().length
    ? files.map(({ name }) => `file:${name}`).join(' + ')
    : undefined
}

/** Neither list is needed to chat, so that a failure leaves it as it is. */
async function refreshCatalogue(): Promise<void> {
  try {
    catalogue.value = await listCatalogue()
  } catch {
    // Loading by name says what is wrong with the catalogue.
  }
}

export async function refreshStored(): Promise<void> {
  try {
    const stored = await listStoredModels()
    for (const { id } of stored) seenHere.add(id)
    storedModels.value = stored
  } catch {
    // Loading says what is wrong with the storage.
  }
  await refreshRoom()
}

/** Frees the model at hand and loads another; says how it goes in `model`, never throws. */
export function loadModel(wanted: ModelReference): Promise<void> {
  return asWork(() => load(wanted))
}

async function load(wanted: ModelReference): Promise<void> {
  const controller = new AbortController()
  loading?.abort()
  loading = controller
  const before = model.value
  reference.value = wanted
  model.value = { kind: 'loading' }
  warnings.value = []
  memory.value = undefined
  const mine = () => loading === controller
  try {
    if (before.kind === 'ready') await before.engine.dispose().catch(() => undefined)
    const engine = await createEngine({
      model: wanted,
      backend: backend.value,
      signal: controller.signal,
      onProgress: (next) => {
        if (!mine()) return
        if (model.value.kind === 'loading') model.value = { kind: 'loading', progress: next }
        else recovery.value = next.phase === 'ready' ? undefined : next
      },
      onWarning: (warning) => {
        if (!mine()) return
        warnings.value = [...warnings.value.filter(({ code }) => code !== warning.code), warning]
        // The engine is the same, and what it says of its device is not.
        if (model.value.kind === 'ready') model.value = { ...model.value }
      },
    })
    if (!mine()) {
      await engine.dispose()
      return
    }
    const lasting = lastingReference(wanted)
    if (lasting !== undefined) writeStored(referenceKey, lasting)
    // First what is kept, or it would seem gone.
    await refreshStored()
    if (!mine()) {
      await engine.dispose()
      return
    }
    model.value = { kind: 'ready', engine }
    await refreshMemory()
  } catch (error) {
    if (!mine()) return
    const failure = describeFailure(error)
    // Whether that is the network, or only where the model comes from.
    if (failure.code === 'network_error') void checkConnection()
    // First what is kept, so that it is told at once.
    await refreshStored()
    if (!mine()) return
    const limit = isBrasaError(error) ? error.details.limitBytes : undefined
    const limitBytes = typeof limit === 'number' ? { limitBytes: limit } : {}
    model.value =
      failure.code === 'aborted' ? { kind: 'absent' } : { kind: 'failed', ...failure, ...limitBytes }
  }
}

/** Runs the model at hand elsewhere from now on, and remembers it. */
export async function runOn(choice: OfferedBackend): Promise<void> {
  rememberBackend(choice)
  const { kind } = model.value
  if (kind !== 'absent' && kind !== 'checking') await loadModel(reference.value)
}

/** Stops the load; what has arrived stays in the shard store. */
export function cancelLoad(): void {
  loading?.abort()
}

export async function removeModel(id: string): Promise<void> {
  await removeStoredModel(id)
  await refreshStored()
}

export async function pinModel(id: string, pinned: boolean): Promise<void> {
  await pinStoredModel(id, pinned)
  await refreshStored()
}

/** Puts the model away: its memory is free, and one click loads it again. */
export async function putModelAway(): Promise<void> {
  if (model.value.kind !== 'ready') return
  const { engine } = model.value
  loading = undefined
  model.value = { kind: 'absent' }
  memory.value = undefined
  await engine.dispose()
}

/** How much the engine holds now. Only for show: a failure leaves the last figures. */
export async function refreshMemory(): Promise<void> {
  if (model.value.kind !== 'ready') return
  try {
    memory.value = await model.value.engine.memory()
  } catch {
    // The next answer tells what is wrong.
  }
}

export function dismissWarning(code: EngineWarning['code']): void {
  warnings.value = warnings.value.filter((warning) => warning.code !== code)
}

export function describeFailure(error: unknown): Pick<BrasaError, 'code' | 'message'> {
  if (isBrasaError(error)) return { code: error.code, message: error.message }
  return { code: 'internal', message: error instanceof Error ? error.message : String(error) }
}

/** What a reference is called before its file has said its name. */
export function referenceName(wanted: ModelReference): string {
  if (typeof wanted === 'string') {
    const listed = catalogue.value.find((entry) => entry.id === wanted)
    return listed?.name ?? withoutPart(decoded(wanted.split(' + ', 1)[0]!.replace(/^.*[/:]/, '')))
  }
  if (wanted instanceof File) return withoutPart(wanted.name)
  return wanted.length === 0 ? 'no file' : referenceName(wanted[0]!)
}

/** All parts of a split file are one model. */
const withoutPart = (name: string) => name.replace(/-\d{5}-of-\d{5}(?=\.gguf$)/i, '')

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
