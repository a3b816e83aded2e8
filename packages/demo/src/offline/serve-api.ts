import { type Engine, registerBrasa } from '@brasa/runtime'
import { effect } from '@preact/signals'
import { model } from '../state/model.ts'
import { asWorkingFetch } from '../state/running.ts'
import { workerScript } from './registration.ts'

/** Answers v1/ with the model at hand, for every page of the app. Where there is no service worker, nobody does. */
export function serveApi(): void {
  if (!import.meta.env.PROD) return
  let served: Engine | undefined
  let stop: AbortController | undefined
  effect(() => {
    const engine = model.value.kind === 'ready' ? model.value.engine : undefined
    if (engine === served) return
    stop?.abort()
    served = engine
    if (engine === undefined) return
    stop = new AbortController()
    // For other tabs too: a request of theirs is work of this one.
    const working = { fetch: asWorkingFetch((request) => engine.fetch(request)) }
    registerBrasa(working, { script: workerScript, signal: stop.signal }).catch(() => undefined)
  })
}
