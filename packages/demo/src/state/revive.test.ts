import { expect, test } from 'vitest'
import { ask, askAgain, newChat, shownMessages, updateAnswer } from './conversation.ts'
import { reviveChat, settleAnswers } from './revive.ts'

const chat = updateAnswer(ask(newChat('c', 1), { role: 'user', id: 'q', content: 'Hello?' }, 'a', 2), 'a', {
  content: 'Hel',
  state: 'streaming',
})

test('a chat comes back as it was stored, with its branches', () => {
  const branched = { ...askAgain(chat, 'a', 'b', 3), title: 'Mine', renamedAt: 4, tip: 'a' }
  expect(reviveChat(JSON.parse(JSON.stringify(branched)))).toEqual(branched)
})

test('an answer cut off by a reload is stopped, with its words, unless somebody still writes it', () => {
  expect(settleAnswers(chat, () => false).messages.at(-1)).toMatchObject({ content: 'Hel', state: 'stopped' })
  expect(settleAnswers(chat, (id) => id === 'a')).toBe(chat)
})

test('a chat from before there were branches is one line', () => {
  const messages = ['q1', 'a1', 'q2'].map((id) => ({
    role: id[0] === 'q' ? 'user' : 'assistant',
    id,
    content: id,
  }))
  const revived = reviveChat({ id: 'c', updatedAt: 1, messages })!
  expect(shownMessages(revived).map(({ id, parent }) => [id, parent])).toEqual([
    ['q1', null],
    ['a1', 'q1'],
    ['q2', 'a1'],
  ])
})

test('a link to nothing, to itself or to what comes later leads to the beginning', () => {
  const messages = ['a', 'b', 'c'].map((id, index) => ({
    role: 'user',
    id,
    content: id,
    parent: ['nothing', 'b', 'd'][index],
  }))
  expect(reviveChat({ id: 'c', updatedAt: 1, messages })!.messages.map(({ parent }) => parent)).toEqual([
    null,
    null,
    null,
  ])
})

test.each([undefined, null, 7, 'text', {}, { id: 'c', updatedAt: 1 }, { id: 1, updatedAt: 1, messages: [] }])(
  '%j is no chat',
  (stored) => {
    expect(reviveChat(stored)).toBeUndefined()
  },
)
