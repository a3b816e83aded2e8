import { signal } from '@preact/signals'
import { isBusy } from '../state/running.ts'

/** The service worker can give the page threads after a reload, which would interrupt someone. */
export const wantsIsolation = signal(false)

/** Set from a reload for isolation until it is had, so that a browser that gives none is not reloaded for ever. */
const triedKey = 'brasa.isolation-tried'

/** To be called first. Never resolves where the page is about to be loaded again: nothing has been begun then. */
export async function isolateAtStart(): Promise<void> {
  if (crossOriginIsolated) return forgetTry()
  const registration = await navigator.serviceWorker?.getRegistration().catch(() => undefined)
  // There is a worker, and yet this page came without its headers: past it, by a forced reload, or before it could add them.
  if (registration?.active && rememberTry()) {
    location.reload()
    await new Promise(() => {})
  }
}

/** On a first visit the worker comes after the page. Reloads unless someone has begun to use it. */
export async function isolateWhenPossible(): Promise<void> {
  if (crossOriginIsolated || !navigator.serviceWorker) return
  await navigator.serviceWorker.ready
  if (isBusy.value || navigator.userActivation?.hasBeenActive !== false) {
    wantsIsolation.value = !hasTried()
  } else if (rememberTry()) location.reload()
}

export function isolateNow(): void {
  rememberTry()
  location.reload()
}

/** False if it was tried before, or cannot be remembered. */
function rememberTry(): boolean {
  try {
    if (sessionStorage.getItem(triedKey) !== null) return false
    sessionStorage.setItem(triedKey, 'yes')
    return true
  } catch {
    return false
  }
}

function hasTried(): boolean {
  try {
    return sessionStorage.getItem(triedKey) !== null
  } catch {
    return true
  }
}

function forgetTry(): void {
  try {
    sessionStorage.removeItem(triedKey)
  } catch {
    // Then it was never remembered.
  }
}
