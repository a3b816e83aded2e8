import { effect, signal } from '@preact/signals'
import { takeOver } from '../service-worker/messages.ts'
import { writeChats } from '../state/keeping.ts'
import { isBusy } from '../state/running.ts'
import { holdShell } from './hold-shell.ts'

/** One for the whole app: it keeps the files, and answers v1/. */
export const workerScript = new URL('service-worker.js', document.baseURI).href

/** `waiting`: a new version is on this device. `taken`: another tab runs it already. `wanted`: this page is to run it. */
export type Update = 'none' | 'waiting' | 'taken' | 'wanted'
export const update = signal<Update>('none')

const checkEveryMs = 60 * 60_000

let registration: ServiceWorkerRegistration | undefined

/** Notices new versions of an app that is on this device, and brings it here no sooner: fetching it would be measured too. */
export async function watchWorker(): Promise<void> {
  const known = await navigator.serviceWorker?.getRegistration().catch(() => undefined)
  if (known === undefined) holdShell()
  else await registerWorker()
}

/** Brings the app onto this device, and notices new versions of it. Without a service worker the page works online. */
export async function registerWorker(): Promise<void> {
  const container = navigator.serviceWorker
  if (!import.meta.env.PROD || container === undefined) return
  holdShell()
  let hadController = container.controller !== null
  container.addEventListener('controllerchange', () => {
    if (update.value === 'wanted') location.reload()
    else if (hadController) update.value = 'taken'
    hadController = true
  })
  try {
    // As registerBrasa registers it: with other options it would be another worker.
    registration = await container.register(workerScript, { type: 'module' })
    watch(registration)
  } catch {
    // A private window, for one, may have none.
  }
}

function watch(registered: ServiceWorkerRegistration): void {
  const look = () => {
    if (registered.waiting && navigator.serviceWorker.controller && update.value !== 'wanted') {
      update.value = 'waiting'
    }
  }
  look()
  registered.addEventListener('updatefound', () => {
    registered.installing?.addEventListener('statechange', look)
  })
  // An installed app may stay open for weeks.
  let checkedAt = Date.now()
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden' || Date.now() - checkedAt < checkEveryMs) return
    checkedAt = Date.now()
    registered.update().catch(() => undefined)
  })
}

/** Runs the new version, once nothing runs here that a reload would break. */
export function takeUpdate(): void {
  const isTaken = update.value === 'taken'
  update.value = 'wanted'
  const stop = effect(() => {
    if (isBusy.value) return
    queueMicrotask(() => stop())
    void writeChats().finally(() => {
      const waiting = registration?.waiting
      if (isTaken || !waiting) location.reload()
      else waiting.postMessage(takeOver)
    })
  })
}
