import type { StorageWarning } from './shard-store.ts'

/**
 * Asks the browser not to evict this origin's data when the disk runs low. For the page: workers cannot ask.
 * @returns a warning if the browser said no
 */
export async function askToPersist(): Promise<StorageWarning | undefined> {
  const storage = globalThis.navigator?.storage
  if (storage?.persist === undefined || (await storage.persisted())) return undefined
  if (await storage.persist()) return undefined
  return {
    code: 'persist_denied',
    message:
      'The browser may remove the model when the disk runs low. Installing the page as an app, or bookmarking it, usually changes that.',
  }
}
