import type { Answer, Chat, Message } from './conversation.ts'

/**
 * Two versions of one chat, written in two tabs, as one: every message of both, each as it was last changed. No move takes a
 * message away, so that nothing can be lost. Returns `mine` itself where `stored` adds nothing.
 */
export function mergeChats(stored: Chat, mine: Chat): Chat {
  const own = new Map(mine.messages.map((message) => [message.id, message]))
  const both = stored.messages.map((message) => {
    const other = own.get(message.id)
    own.delete(message.id)
    return other === undefined ? message : later(message, other)
  })
  // The stored order comes first in every tab, so that siblings stand in the same order everywhere.
  const messages = [...both, ...own.values()]
  const isRenamed = (stored.renamedAt ?? 0) > (mine.renamedAt ?? 0)
  const same =
    !isRenamed &&
    stored.updatedAt <= mine.updatedAt &&
    messages.length === mine.messages.length &&
    messages.every((message, index) => message === mine.messages[index])
  if (same) return mine
  const { title: _, ...untitled } = mine
  return {
    ...(isRenamed ? untitled : mine),
    ...(isRenamed && stored.title !== undefined && { title: stored.title }),
    ...(isRenamed && { renamedAt: stored.renamedAt }),
    updatedAt: Math.max(stored.updatedAt, mine.updatedAt),
    messages,
  }
}

/** What a file brings that is not here yet; what is here stays as it is. Returns `here` itself where that is nothing. */
export function addMissing(here: Chat, imported: Chat): Chat {
  const known = new Set(here.messages.map(({ id }) => id))
  const added = imported.messages.filter(({ id }) => !known.has(id))
  if (added.length === 0) return here
  return { ...here, tip: here.tip ?? here.messages.at(-1)?.id, messages: [...here.messages, ...added] }
}

function later(stored: Message, mine: Message): Message {
  if (stored.role !== 'assistant' || mine.role !== 'assistant') return mine
  const [a, b] = [stored.changedAt ?? 0, mine.changedAt ?? 0]
  if (a !== b) return a > b ? stored : mine
  return isBusy(mine) && !isBusy(stored) ? stored : mine
}

export function isBusy({ state }: Answer): boolean {
  return state === 'waiting' || state === 'streaming'
}
