import { PrecacheController } from 'workbox-precaching'
import type { ExtendableEvent, FetchEvent } from './scope.ts'
import { createVersions } from './versions.ts'

/** A file of the build. */
export interface ShellFile {
  readonly url: string
  /** Of its content; null where the name says it. */
  readonly revision: string | null
  /** Large, and not everyone needs it: kept when it is first used. */
  readonly later?: boolean
}

/** How long a file that may have changed is waited for where an older copy is at hand. */
const freshnessMs = 2500

/**
 * The app's own files. Those that every chat needs are cached when the worker is installed, the large ones when they are first
 * used; an older version's stay as long as a page of it is open.
 */
export function createShell(scopeUrl: string, files: readonly ShellFile[]) {
  const precache = new PrecacheController()
  precache.addToCacheList(files.filter(({ later }) => !later).map(({ url, revision }) => ({ url, revision })))
  const shellCache = precache.strategy.cacheName
  const laterCache = `brasa-later-${scopeUrl}`
  const catalogue = new URL('models/models.json', scopeUrl).href
  const later = new Set(files.filter((file) => file.later).map(({ url }) => new URL(url, scopeUrl).href))
  const own = [...precache.getURLsToCacheKeys().values(), ...later, catalogue].sort()
  const versions = createVersions(laterCache, new URL('.versions', scopeUrl).href)

  async function keep(url: string, response: Response): Promise<void> {
    // Without room the app works as before, online.
    await (await caches.open(laterCache)).put(url, response).catch(() => undefined)
  }

  /** The file as it is cached, else from the network. */
  async function fromCache(event: FetchEvent, url: string): Promise<Response> {
    const key = precache.getCacheKeyForURL(url) ?? url
    for (const name of [shellCache, laterCache]) {
      const cached = await (await caches.open(name)).match(key)
      if (cached !== undefined) return cached
    }
    const response = await fetch(event.request)
    if (response.ok && later.has(url)) event.waitUntil(keep(url, response.clone()))
    return response
  }

  /** The catalogue changes without the app: as it is on the host, or as it was there last. */
  async function freshest(event: FetchEvent, url: string): Promise<Response> {
    const cached = await (await caches.open(laterCache)).match(url)
    const signal = cached && AbortSignal.timeout(freshnessMs)
    try {
      const response = await fetch(event.request, signal && { signal })
      if (response.ok) event.waitUntil(keep(url, response.clone()))
      return response
    } catch (error) {
      if (cached === undefined) throw error
      return cached
    }
  }

  return {
    install(event: ExtendableEvent): void {
      event.waitUntil(
        versions.add(own).then(async () => {
          await precache.install(event as never)
          const response = await fetch(catalogue).catch(() => undefined)
          if (response?.ok) await keep(catalogue, response)
        }),
      )
    },

    tidy: () => versions.tidy(own, [shellCache, laterCache]),

    /** What answers an address below the scope; undefined leaves it to the network, as all of a model's bytes are. */
    answer(event: FetchEvent, path: string): Promise<Response> | undefined {
      const url = new URL(path, scopeUrl).href
      if (event.request.mode === 'navigate') {
        const page = pages[path]
        return page === undefined ? undefined : fromCache(event, new URL(page, scopeUrl).href)
      }
      if (url === catalogue) return freshest(event, url)
      if (path.startsWith('assets/') || precache.getCacheKeyForURL(url) !== undefined) {
        return fromCache(event, url)
      }
      return undefined
    },
  }
}

/** Hosts name them with or without their ending. */
const pages: Readonly<Record<string, string>> = {
  '': 'index.html',
  index: 'index.html',
  'index.html': 'index.html',
  bench: 'bench.html',
  'bench.html': 'bench.html',
}
