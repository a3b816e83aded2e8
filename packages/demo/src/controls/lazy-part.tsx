import { type Signal, signal } from '@preact/signals'
import type { ComponentType } from 'preact'
import { useEffect } from 'preact/hooks'
import { words } from '../words/words.ts'

/** A part of the page whose code comes with the first visit. */
export interface Part {
  readonly loaded: Signal<ComponentType | undefined>
  readonly hasFailed: Signal<boolean>
  /** False where it could not be fetched. */
  load(): Promise<boolean>
}

export function createPart(fetchPart: () => Promise<ComponentType>): Part {
  const loaded = signal<ComponentType | undefined>(undefined)
  const hasFailed = signal(false)
  return {
    loaded,
    hasFailed,
    async load() {
      try {
        loaded.value ??= await fetchPart()
        return true
      } catch {
        hasFailed.value = true
        return false
      }
    },
  }
}

export function LazyPart({ part }: { readonly part: Part }) {
  useEffect(() => void part.load(), [part])
  const Loaded = part.loaded.value
  if (Loaded !== undefined) return <Loaded />
  const say = words.value.parts
  return (
    <div class="tab-wait">
      {part.hasFailed.value ? (
        <>
          <p role="alert">{say.notFetched}</p>
          {/* A browser remembers that a module failed: only a fresh page asks again. */}
          <button type="button" class="button" onClick={() => location.reload()}>
            {say.reload}
          </button>
        </>
      ) : (
        <p class="soft">{say.opening}</p>
      )}
    </div>
  )
}
