const day = 24 * 60 * 60 * 1000

export type Age = 'today' | 'lastSevenDays' | 'older'

/** Groups chats, newest first, by age. Empty groups are left out. */
export function chatsByAge<T extends { readonly updatedAt: number }>(
  chats: readonly T[],
  now: number,
): readonly (readonly [Age, readonly T[]])[] {
  const today = new Date(now).setHours(0, 0, 0, 0)
  const groups: readonly (readonly [Age, number, number])[] = [
    ['today', today, Number.POSITIVE_INFINITY],
    ['lastSevenDays', today - 7 * day, today],
    ['older', Number.NEGATIVE_INFINITY, today - 7 * day],
  ]
  return groups
    .map(
      ([heading, from, to]) =>
        [heading, chats.filter(({ updatedAt }) => updatedAt >= from && updatedAt < to)] as const,
    )
    .filter(([, group]) => group.length > 0)
}
