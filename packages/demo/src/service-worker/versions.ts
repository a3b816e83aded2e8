import { shellLock } from './messages.ts'

/** The cache keys of one version's files. */
export type Version = readonly string[]

const lock = 'brasa:versions'

/**
 * The versions whose files are cached, oldest first. One that waits to take over is in it from the moment it begins to
 * install, so that nobody clears its files away.
 */
export function createVersions(cacheName: string, address: string) {
  const read = async (): Promise<readonly Version[]> => {
    const stored = await (await caches.open(cacheName)).match(address)
    return stored === undefined ? [] : stored.json()
  }
  const write = async (versions: readonly Version[]) =>
    (await caches.open(cacheName)).put(address, Response.json(versions))

  return {
    /** A version begins to install. */
    add: (version: Version) =>
      navigator.locks.request(lock, async () => {
        await write([...(await read()).filter((known) => !isSame(known, version)), version])
      }),

    /** Lets go of what no open page and no later version needs. `own` is the version that answers. */
    tidy: (own: Version, cacheNames: readonly string[]) =>
      navigator.locks.request(lock, async () => {
        const known = await read()
        const kept = keptVersions(known, own, await openScripts())
        if (kept.length === known.length) return
        const wanted = new Set(kept.flat())
        for (const name of cacheNames) {
          const cache = await caches.open(name)
          for (const request of await cache.keys()) {
            if (!wanted.has(request.url) && request.url !== address) await cache.delete(request)
          }
        }
        await write(kept)
      }),
  }
}

/** @param open scripts of the pages that are open */
export function keptVersions(
  known: readonly Version[],
  own: Version,
  open: readonly string[],
): readonly Version[] {
  const at = known.findIndex((version) => isSame(version, own))
  const strayed = open.filter((script) => !own.includes(script))
  const older = known.slice(0, Math.max(at, 0))
  return [
    ...older.filter((version) => strayed.some((script) => version.includes(script))),
    own,
    ...known.slice(at + 1).filter((version) => !isSame(version, own)),
  ]
}

const isSame = (one: Version, other: Version) => one.join() === other.join()

async function openScripts(): Promise<readonly string[]> {
  const { held = [] } = await navigator.locks.query()
  return held.flatMap(({ name }) => (name?.startsWith(shellLock) ? [name.slice(shellLock.length)] : []))
}
