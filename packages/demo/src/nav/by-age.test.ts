import { expect, test } from 'vitest'
import { newChat } from '../state/conversation.ts'
import { chatsByAge } from './by-age.ts'

const noon = new Date(2026, 4, 20, 12).getTime()
const hour = 60 * 60 * 1000

test('every chat is under exactly one heading, and empty headings are left out', () => {
  const chats = [1, 11, 13, 24 * 6, 24 * 8].map((hours) => newChat(`${hours}`, noon - hours * hour))
  const grouped = chatsByAge(chats, noon).map(([age, group]) => [age, group.map(({ id }) => id)])
  expect(grouped).toEqual([
    ['today', ['1', '11']],
    ['lastSevenDays', ['13', '144']],
    ['older', ['192']],
  ])
  expect(chatsByAge([], noon)).toEqual([])
})
