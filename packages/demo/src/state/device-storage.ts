import { computed, signal } from '@preact/signals'

/** What the browser says of this page's storage, as far as it says it. */
export interface Room {
  readonly usageBytes?: number
  readonly quotaBytes?: number
  /** Undefined where the browser has no such promise to give. */
  readonly isPersisted?: boolean
}

export const room = signal<Room>({})
/** The browser was asked to keep what is stored, and would not. */
export const wasDenied = signal(false)

/** Bytes that fit besides; undefined where the browser does not say. */
export const freeBytes = computed(() => {
  const { usageBytes, quotaBytes } = room.value
  return usageBytes === undefined || quotaBytes === undefined
    ? undefined
    : Math.max(0, quotaBytes - usageBytes)
})

export async function refreshRoom(): Promise<void> {
  // Absent outside a secure context.
  const { storage } = navigator
  const [{ usage, quota } = {}, isPersisted] = await Promise.all([
    storage?.estimate?.().catch(() => undefined),
    storage?.persisted?.().catch(() => undefined),
  ])
  room.value = {
    ...(usage === undefined ? {} : { usageBytes: usage }),
    ...(quota === undefined ? {} : { quotaBytes: quota }),
    ...(isPersisted === undefined ? {} : { isPersisted }),
  }
}

/** Whether the browser gives this page a database, which some private windows do not and which can change at any time. */
export async function hasDatabase(): Promise<boolean> {
  const name = 'brasa.try'
  try {
    const request = indexedDB.open(name)
    const database = await new Promise<IDBDatabase>((resolve, reject) => {
      request.onsuccess = () => resolve(request.result)
      request.onerror = () => reject(request.error)
    })
    database.close()
    indexedDB.deleteDatabase(name)
    return true
  } catch {
    return false
  }
}

export async function askToKeep(): Promise<void> {
  wasDenied.value = !(await navigator.storage.persist().catch(() => false))
  await refreshRoom()
}

/** Of the whole device; a browser that says 8 GiB means that or more, and some say nothing. */
export function deviceMemoryBytes(): number | undefined {
  const { deviceMemory } = navigator as { readonly deviceMemory?: number }
  return deviceMemory === undefined || deviceMemory >= 8 ? undefined : deviceMemory * 2 ** 30
}

/** The device has as much as any browser says of one. */
export function hasPlentyOfMemory(): boolean {
  const { deviceMemory } = navigator as { readonly deviceMemory?: number }
  return deviceMemory !== undefined && deviceMemory >= 8
}
