import { createEngine, type Engine, type ModelInspection, type ModelReference } from '@brasa/runtime'
import { signal } from '@preact/signals'
import { describeFailure, storedModels } from './model.ts'
import { facts, rememberFacts } from './model-facts.ts'

/** The model that a person looks at before loading it. */
export interface Look {
  readonly reference: ModelReference
  readonly state:
    | { readonly kind: 'looking' }
    /** Its terms come first. */
    | { readonly kind: 'terms'; readonly url: string }
    | { readonly kind: 'seen'; readonly inspection: ModelInspection }
    | { readonly kind: 'failed'; readonly message: string }
}

export const look = signal<Look | undefined>(undefined)

/** Without a model: it only inspects. */
let inspector: Promise<Engine> | undefined
let looking: AbortController | undefined

async function inspect(reference: ModelReference, signal: AbortSignal): Promise<ModelInspection> {
  inspector ??= createEngine()
  const inspection = await (await inspector).inspect(reference, { signal })
  rememberFacts(inspection)
  return inspection
}

/** Reads a model's header, some megabytes at most, and says in `look` what it tells; never throws. */
export async function lookAt(reference: ModelReference, terms?: string): Promise<void> {
  looking?.abort()
  const controller = new AbortController()
  looking = controller
  const show = (state: Look['state']) => {
    if (looking === controller) look.value = { reference, state }
  }
  if (terms !== undefined) return show({ kind: 'terms', url: terms })
  show({ kind: 'looking' })
  try {
    show({ kind: 'seen', inspection: await inspect(reference, controller.signal) })
  } catch (error) {
    show({ kind: 'failed', message: describeFailure(error).message })
  }
}

export function lookAway(): void {
  looking?.abort()
  looking = undefined
  look.value = undefined
}

/** Reads the headers of stored models that nothing is known of yet, one after another; what cannot be read stays unknown. */
export async function lookThroughStored(
  isChatModel: (id: string) => boolean,
  signal: AbortSignal,
): Promise<void> {
  for (const { id, isComplete } of storedModels.value) {
    if (signal.aborted) return
    if (!isComplete || !isChatModel(id) || facts.value[id] !== undefined) continue
    await inspect(id, signal).catch(() => undefined)
  }
}

/** What a stored model takes on each backend. @throws BrasaError as `engine.inspect` */
export async function factsOf(id: string, signal: AbortSignal) {
  if (facts.value[id] === undefined) await inspect(id, signal)
  return facts.value[id]!
}
