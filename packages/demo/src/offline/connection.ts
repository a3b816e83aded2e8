import { signal } from '@preact/signals'

/** Whether the page's own host is out of reach: the device has no network, or the host does not answer. */
export const isOffline = signal(navigator.onLine === false)

const patienceMs = 8000
const askAgainMs = 10_000

/** Small, always there, and left to the network by the service worker: it answers no HEAD. */
const probeUrl = new URL('manifest.webmanifest', document.baseURI)

/** Asks the host whether it is there: what fails for want of a network tells nothing of why. */
export async function checkConnection(): Promise<void> {
  if (!navigator.onLine) {
    isOffline.value = true
    return
  }
  try {
    await fetch(probeUrl, { method: 'HEAD', cache: 'no-store', signal: AbortSignal.timeout(patienceMs) })
    isOffline.value = false
  } catch {
    isOffline.value = true
  }
}

/** Keeps `isOffline` true to what is. Asks again and again only while it is. */
export function watchConnection(): void {
  void checkConnection()
  addEventListener('online', checkConnection)
  addEventListener('offline', checkConnection)
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') void checkConnection()
  })
  setInterval(() => {
    if (isOffline.value && document.visibilityState === 'visible') void checkConnection()
  }, askAgainMs)
}
