import { expect, test } from 'vitest'
import {
  ask,
  askAgain,
  askInstead,
  branchOff,
  type Chat,
  chatTitle,
  contextTokens,
  lastQuestion,
  newChat,
  renameChat,
  requestMessages,
  showMessage,
  shownMessages,
  showSibling,
  updateAnswer,
} from './conversation.ts'

const shownIds = (chat: Chat) => shownMessages(chat).map(({ id }) => id)

const question = (id: string, content: string) => ({ role: 'user' as const, id, content })

/** Two questions, both answered. */
function talk(): Chat {
  let chat = ask(newChat('c', 1), question('q1', 'One?'), 'a1', 2)
  chat = updateAnswer(chat, 'a1', { content: 'First.', state: 'done' })
  chat = ask(chat, question('q2', 'Two?'), 'a2', 3)
  return updateAnswer(chat, 'a2', {
    content: 'Second.',
    state: 'done',
    stats: { tokens: 3, ttftMs: 10, tokensPerSecond: 5, contextTokens: 40 },
  })
}

test('a question brings an answer that waits', () => {
  const chat = ask(newChat('c', 1), question('q', 'Hello'), 'a', 2)
  expect(chat.updatedAt).toBe(2)
  expect(chat.messages).toEqual([
    { ...question('q', 'Hello'), parent: null },
    { role: 'assistant', id: 'a', parent: 'q', content: '', state: 'waiting' },
  ])
})

test('again puts a new answer beside the old one, which keeps what came after it', () => {
  const again = askAgain(talk(), 'a1', 'b', 9)
  expect(shownIds(again)).toEqual(['q1', 'b'])
  expect(shownIds(showSibling(again, 'b', -1))).toEqual(['q1', 'a1', 'q2', 'a2'])
  expect(showSibling(again, 'b', 1)).toBe(again)
  expect(askAgain(talk(), 'q1', 'b', 9)).toEqual(talk())
})

test('an edited question stands beside the old one, and both keep their answers', () => {
  const edited = askInstead(talk(), 'q1', question('q', 'Other?'), 'a', 9)
  expect(shownIds(edited)).toEqual(['q', 'a'])
  expect(requestMessages(edited, 'a', '')).toEqual([{ role: 'user', content: 'Other?' }])
  expect(lastQuestion(edited)?.id).toBe('q')
  expect(contextTokens(edited)).toBe(0)
  const old = showSibling(edited, 'q', -1)
  expect(shownIds(old)).toEqual(shownIds(talk()))
  expect(contextTokens(old)).toBe(40)
  expect(requestMessages(old, 'a', '')).toEqual([{ role: 'user', content: 'Other?' }])
  expect(shownIds(showMessage(old, 'a'))).toEqual(['q', 'a'])
  expect(showMessage(old, 'a2')).toBe(old)
})

test('a chat goes on from a message in a chat of its own', () => {
  const branch = branchOff(talk(), 'a1', 'd', 'One? (branch)', 9)
  expect(shownIds(branch)).toEqual(['q1', 'a1'])
  expect(branch).toMatchObject({ id: 'd', title: 'One? (branch)', updatedAt: 9 })
})

test('the request is what was said before the answer, with the system prompt only if there is one', () => {
  expect(requestMessages(talk(), 'a2', ' ')).toEqual([
    { role: 'user', content: 'One?' },
    { role: 'assistant', content: 'First.' },
    { role: 'user', content: 'Two?' },
  ])
  expect(requestMessages(talk(), 'a1', 'Be brief.')).toEqual([
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'One?' },
  ])
})

test('what the model thought is not sent back to it', () => {
  const chat = updateAnswer(talk(), 'a1', { thought: 'Easy.', thoughtMs: 1200 })
  expect(requestMessages(chat, 'a2', '')).toEqual(requestMessages(talk(), 'a2', ''))
  const cutOff = updateAnswer(chat, 'a1', { content: '', state: 'long' })
  expect(requestMessages(cutOff, 'a2', '').map((message) => message.content)).toEqual(['One?', 'Two?'])
})

test('an answer that failed before its first word is not sent back to the model', () => {
  const failed = updateAnswer(talk(), 'a1', { content: '', state: 'failed' })
  expect(requestMessages(failed, 'a2', '').map((message) => message.content)).toEqual(['One?', 'Two?'])
})

test('the context used is what the last measured answer said', () => {
  expect(contextTokens(newChat('c', 1))).toBe(0)
  expect(contextTokens(talk())).toBe(40)
  expect(contextTokens(ask(talk(), question('q3', 'Three?'), 'a3', 4))).toBe(40)
})

test('a title is the first line of the first question, cut at a word', () => {
  expect(chatTitle(newChat('c', 1))).toBe('')
  expect(chatTitle(talk())).toBe('One?')
  const long = ask(newChat('c', 1), question('q', `${'word '.repeat(30)}\nmore`), 'a', 1)
  expect(chatTitle(long)).toBe('word word word word word word word word word…')
  const unbroken = ask(newChat('c', 1), question('q', 'x'.repeat(99)), 'a', 1)
  expect(chatTitle(unbroken).length).toBeLessThan(50)
})

test('a title that the person gives stays until it is taken away', () => {
  const named = renameChat(talk(), '  Two\nquestions ', 5)
  expect(chatTitle(named)).toBe('Two questions')
  expect(chatTitle(renameChat(named, ' ', 6))).toBe('One?')
})
