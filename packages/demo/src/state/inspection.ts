import { createEngine, type Engine, type ModelInspection, type ModelReference } from '@brasa/runtime'
import { signal } from '@preact/signals'
import { describeFailure } from './model.ts'

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
    inspector ??= createEngine()
    const inspection = await (await inspector).inspect(reference, { signal: controller.signal })
    show({ kind: 'seen', inspection })
  } catch (error) {
    show({ kind: 'failed', message: describeFailure(error).message })
  }
}

export function lookAway(): void {
  looking?.abort()
  looking = undefined
  look.value = undefined
}
