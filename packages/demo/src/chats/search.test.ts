import { expect, test } from 'vitest'
import { ask, askInstead, type Chat, newChat, renameChat, updateAnswer } from '../state/conversation.ts'
import { searchChats } from './search.ts'

function chat(id: string, asked: string, answered: string): Chat {
  const question = { role: 'user' as const, id: `${id}-q`, content: asked }
  return updateAnswer(ask(newChat(id, 1), question, `${id}-a`, 1), `${id}-a`, {
    content: answered,
    state: 'done',
  })
}

const embers = chat(
  'embers',
  'A haiku about embers',
  'Grey ash,\n\nred heart: the CAFÉ still glows at night.',
)
const harbour = chat('harbour', 'Summary of the harbour log', 'Three ships came in.')
const chats = [embers, harbour]
const found = (query: string) => searchChats(chats, query).map(({ chat: { id } }) => id)

test('words are found in titles and in what was said, in any case, order and accent', () => {
  expect(found('HAIKU')).toEqual(['embers'])
  expect(found('ships summary')).toEqual(['harbour'])
  expect(found('cafe night')).toEqual(['embers'])
  expect(found('ships embers')).toEqual([])
  expect(found('  ')).toEqual(['embers', 'harbour'])
  expect(searchChats([renameChat(harbour, 'Boats', 2)], 'boats')).toHaveLength(1)
})

test('a place in the text is shown with what stands around it, and a title alone needs none', () => {
  expect(searchChats(chats, 'café')[0]).toMatchObject({
    message: { id: 'embers-a' },
    snippet: { before: 'Grey ash, red heart: the ', hit: 'CAFÉ', after: ' still glows at night.' },
  })
  expect(searchChats(chats, 'haiku')[0]!.snippet).toBeUndefined()
})

test('what is on a branch that is not shown is found too', () => {
  const edited = askInstead(harbour, 'harbour-q', { role: 'user', id: 'r', content: 'Other' }, 'b', 2)
  expect(searchChats([edited], 'ships')[0]!.message?.id).toBe('harbour-a')
})
