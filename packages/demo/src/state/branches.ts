/** Messages as a tree: each names the one it follows, and what is shown is the path to one of its ends. */

export interface Linked {
  readonly id: string
  /** The message it follows; null at the beginning. A message stands behind its parent in the list. */
  readonly parent: string | null
}

/** From the beginning to `end`; to the newest message if there is no such end. */
export function pathTo<T extends Linked>(messages: readonly T[], end: string | undefined): readonly T[] {
  const byId = new Map(messages.map((message) => [message.id, message]))
  const path: T[] = []
  let next = (end === undefined ? undefined : byId.get(end)) ?? messages.at(-1)
  while (next !== undefined) {
    path.push(next)
    // Each is taken once, so that links that lead in a circle come to an end.
    byId.delete(next.id)
    next = next.parent === null ? undefined : byId.get(next.parent)
  }
  return path.reverse()
}

/** The newest message that follows `id`, however far; itself if none does. */
export function newestEnd(messages: readonly Linked[], id: string): string {
  const following = new Set([id])
  let end = id
  for (const message of messages) {
    if (message.parent === null || !following.has(message.parent)) continue
    following.add(message.id)
    end = message.id
  }
  return end
}

/** Messages that follow the same one, oldest first. */
export function siblings<T extends Linked>(messages: readonly T[], id: string): readonly T[] {
  const message = messages.find((candidate) => candidate.id === id)
  if (message === undefined) return []
  return messages.filter((candidate) => candidate.parent === message.parent)
}

export interface BranchPlace {
  /** From 1. */
  readonly place: number
  readonly of: number
}

/** Where each message of a path stands among its siblings; only those that have any. */
export function branchPlaces(
  messages: readonly Linked[],
  path: readonly Linked[],
): ReadonlyMap<string, BranchPlace> {
  const byParent = new Map<string | null, string[]>()
  for (const { id, parent } of messages) {
    const ids = byParent.get(parent)
    if (ids === undefined) byParent.set(parent, [id])
    else ids.push(id)
  }
  const places = new Map<string, BranchPlace>()
  for (const { id, parent } of path) {
    const ids = byParent.get(parent)!
    if (ids.length > 1) places.set(id, { place: ids.indexOf(id) + 1, of: ids.length })
  }
  return places
}
