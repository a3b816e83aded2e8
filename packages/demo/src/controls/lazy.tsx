import { signal } from '@preact/signals'
import type { ComponentType } from 'preact'
import { useEffect } from 'preact/hooks'
import { words } from '../words/words.ts'

/** A view whose code comes with the first visit. */
export function lazy(load: () => Promise<ComponentType>): ComponentType {
  const loaded = signal<ComponentType | undefined>(undefined)
  const hasFailed = signal(false)
  const fetchCode = async () => {
    try {
      loaded.value ??= await load()
    } catch {
      hasFailed.value = true
    }
  }
  return function Lazy() {
    useEffect(() => void fetchCode(), [])
    const View = loaded.value
    if (View !== undefined) return <View />
    const { notFetched, reload, opening } = words.value.models
    return (
      <div class="tab-wait">
        {hasFailed.value ? (
          <>
            <p role="alert">{notFetched}</p>
            {/* A browser remembers that a module failed: only a fresh page asks again. */}
            <button type="button" class="button" onClick={() => location.reload()}>
              {reload}
            </button>
          </>
        ) : (
          <p class="soft">{opening}</p>
        )}
      </div>
    )
  }
}
