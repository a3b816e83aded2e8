import { computed, signal } from '@preact/signals'
import { version } from '../../../runtime/package.json'
import { isOffline } from '../offline/connection.ts'
import { backend } from '../state/backend.ts'
import { memory, model, warnings } from '../state/model.ts'
import { type AdapterFacts, findAdapter } from './adapter.ts'
import type { Facts, StorageFacts } from './facts.ts'

const adapter = signal<AdapterFacts | null | undefined>(undefined)
const storage = signal<StorageFacts | undefined>(undefined)
/** How the browser's own count of script memory stands: it takes seconds, for it waits for a garbage collection. */
export const scriptMemory = signal<
  { readonly kind: 'unknown' | 'counting' | 'refused' } | { readonly kind: 'counted'; readonly bytes: number }
>({ kind: 'unknown' })

/** Of Chromium. */
const { deviceMemory } = navigator as { deviceMemory?: number }

export const facts = computed<Facts>(() => {
  const engine = model.value.kind === 'ready' ? model.value.engine : undefined
  return {
    pageVersion: version,
    userAgent: navigator.userAgent,
    numCores: navigator.hardwareConcurrency,
    ...(deviceMemory !== undefined && { deviceMemoryGb: deviceMemory }),
    isIsolated: globalThis.crossOriginIsolated === true,
    hasServiceWorker: Boolean(navigator.serviceWorker?.controller),
    isOnline: !isOffline.value,
    ...(adapter.value !== undefined && { adapter: adapter.value }),
    ...(storage.value !== undefined && { storage: storage.value }),
    choice: backend.value,
    ...(engine !== undefined && { model: engine.model, device: engine.device }),
    ...(engine !== undefined && memory.value !== undefined && { memory: memory.value }),
    ...(scriptMemory.value.kind === 'counted' && { scriptBytes: scriptMemory.value.bytes }),
    warnings: warnings.value,
  }
})

/** Asks the browser for what costs little. Never throws: what it does not tell stays unknown. */
export async function lookAround(): Promise<void> {
  const found = adapter.value === undefined ? findAdapter() : adapter.value
  await refreshStorage()
  adapter.value = await found
}

export async function refreshStorage(): Promise<void> {
  try {
    const [{ usage = 0, quota = 0 }, isPersistent] = await Promise.all([
      navigator.storage.estimate(),
      navigator.storage.persisted(),
    ])
    storage.value = { usedBytes: usage, quotaBytes: quota, isPersistent }
  } catch {
    // A page that is not secure has no storage to ask.
  }
}

interface MemoryMeasurement {
  readonly bytes: number
}

/** Of the page and its workers, where the browser counts it: Chromium, in a page that is cross-origin isolated. */
export async function countScriptMemory(): Promise<void> {
  const { measureUserAgentSpecificMemory: measure } = performance as {
    measureUserAgentSpecificMemory?: () => Promise<MemoryMeasurement>
  }
  if (scriptMemory.value.kind === 'counting') return
  if (measure === undefined || globalThis.crossOriginIsolated !== true) {
    scriptMemory.value = { kind: 'refused' }
    return
  }
  scriptMemory.value = { kind: 'counting' }
  try {
    const { bytes } = await measure.call(performance)
    scriptMemory.value = { kind: 'counted', bytes }
  } catch {
    scriptMemory.value = { kind: 'refused' }
  }
}
