import type { Chat } from '../state/conversation.ts'

const day = 24 * 60 * 60 * 1000

/** Groups chats, newest first, under words a person would use. Empty groups are left out. */
export function chatsByAge(
  chats: readonly Chat[],
  now: number,
): readonly (readonly [string, readonly Chat[]])[] {
  const today = new Date(now).setHours(0, 0, 0, 0)
  const groups: readonly (readonly [string, number, number])[] = [
    ['Today', today, Number.POSITIVE_INFINITY],
    ['Last seven days', today - 7 * day, today],
    ['Older', Number.NEGATIVE_INFINITY, today - 7 * day],
  ]
  return groups
    .map(
      ([heading, from, to]) =>
        [heading, chats.filter(({ updatedAt }) => updatedAt >= from && updatedAt < to)] as const,
    )
    .filter(([, group]) => group.length > 0)
}
