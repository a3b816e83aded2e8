import { expect, test } from 'vitest'
import {
  ask,
  askAgain,
  type Chat,
  chatTitle,
  contextTokens,
  lastQuestion,
  newChat,
  requestMessages,
  reviveChat,
  updateAnswer,
  withoutQuestion,
} from './conversation.ts'

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
    question('q', 'Hello'),
    { role: 'assistant', id: 'a', content: '', state: 'waiting' },
  ])
})

test('again puts a new answer in place of the old one and drops what came after', () => {
  expect(askAgain(talk(), 'a1', 'b', 9).messages.map((message) => message.id)).toEqual(['q1', 'b'])
  expect(askAgain(talk(), 'q1', 'b', 9)).toEqual(talk())
})

test('an edited question takes its answer with it', () => {
  expect(withoutQuestion(talk(), 'q2').messages.map((message) => message.id)).toEqual(['q1', 'a1'])
  expect(lastQuestion(talk())?.id).toBe('q2')
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
  expect(chatTitle(newChat('c', 1))).toBe('New chat')
  expect(chatTitle(talk())).toBe('One?')
  const long = ask(newChat('c', 1), question('q', `${'word '.repeat(30)}\nmore`), 'a', 1)
  expect(chatTitle(long)).toBe('word word word word word word word word word…')
  const unbroken = ask(newChat('c', 1), question('q', 'x'.repeat(99)), 'a', 1)
  expect(chatTitle(unbroken).length).toBeLessThan(50)
})

test('an answer cut off by a reload comes back as stopped, with its words', () => {
  const cut = updateAnswer(talk(), 'a2', { content: 'Sec', state: 'streaming' })
  const revived = reviveChat(JSON.parse(JSON.stringify(cut)))
  expect(revived?.messages.at(-1)).toMatchObject({ content: 'Sec', state: 'stopped' })
})

test.each([undefined, null, 7, 'text', {}, { id: 'c', updatedAt: 1 }, { id: 1, updatedAt: 1, messages: [] }])(
  '%j is no chat',
  (stored) => {
    expect(reviveChat(stored)).toBeUndefined()
  },
)
