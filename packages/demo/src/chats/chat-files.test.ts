import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  ask,
  askAgain,
  askInstead,
  type Chat,
  newChat,
  shownMessages,
  updateAnswer,
} from '../state/conversation.ts'
import { en } from '../words/en.ts'
import { es } from '../words/es.ts'
import { problemSentence } from './chat-files.ts'
import { chatsFromJson, chatsToJson } from './chat-json.ts'
import { chatFromMarkdown, chatToMarkdown } from './chat-markdown.ts'

const question = (id: string, content: string) => ({ role: 'user' as const, id, content })
const now = 1_000_000

function branched(): Chat {
  let chat = ask(newChat('c-1', 5), question('q', 'One?'), 'a', 6)
  const stats = { tokens: 3, ttftMs: 10, tokensPerSecond: 5, contextTokens: 40, contextLength: 100 }
  const rounds = [
    { content: '', calls: [{ id: 'call', name: 'clock', arguments: '{}', result: 'noon', tookMs: 1 }] },
  ]
  chat = updateAnswer(chat, 'a', {
    content: 'First.',
    thought: 'Hm',
    thoughtMs: 9,
    state: 'done',
    stats,
    rounds,
  })
  chat = updateAnswer(askAgain(chat, 'a', 'b', 7), 'b', { content: 'Second.', state: 'long', format: 'json' })
  chat = askInstead(chat, 'q', question('r', 'Other?'), 'd', 8)
  chat = updateAnswer(chat, 'd', { state: 'failed', failure: { code: 'x', message: 'It broke.' } })
  return { ...chat, tip: 'b' }
}

test('what is exported comes back with all its branches', () => {
  expect(chatsFromJson(chatsToJson([branched()]), now)).toEqual({ chats: [branched()] })
})

const file = (chats: unknown, more = {}) =>
  JSON.stringify({ format: 'brasa.chats', version: 1, chats, ...more })
const chatOf = (message: object) => ({ id: 'c', updatedAt: 1, messages: [message] })
const good = { id: 'q', role: 'user', parent: null, content: 'Hello' }

test.each([
  ['', { kind: 'not-json' }],
  ['{"format":', { kind: 'not-json' }],
  ['['.repeat(200_000), { kind: 'not-json' }],
  ['null', { kind: 'not-chats' }],
  ['[]', { kind: 'not-chats' }],
  ['{"format":"brasa.chats","version":1,"chats":{}}', { kind: 'not-chats' }],
  [file([], { version: 2 }), { kind: 'newer' }],
  [file([null]), { kind: 'damaged', chat: 1, field: 'id' }],
  [file([{ ...chatOf(good), id: '../x' }]), { kind: 'damaged', chat: 1, field: 'id' }],
  [
    file([chatOf(good), { ...chatOf(good), updatedAt: 'now' }]),
    { kind: 'damaged', chat: 2, field: 'updatedAt' },
  ],
  [file([{ ...chatOf(good), title: {} }]), { kind: 'damaged', chat: 1, field: 'title' }],
  [file([{ ...chatOf(good), messages: [] }]), { kind: 'damaged', chat: 1, field: 'messages' }],
  [file([chatOf({ ...good, content: 7 })]), { kind: 'damaged', chat: 1, message: 1, field: 'content' }],
  [file([chatOf({ ...good, role: 'system' })]), { kind: 'damaged', chat: 1, message: 1, field: 'role' }],
  [file([chatOf({ ...good, parent: 'q' })]), { kind: 'damaged', chat: 1, message: 1, field: 'parent' }],
  [
    file([{ ...chatOf(good), messages: [good, good] }]),
    { kind: 'damaged', chat: 1, message: 2, field: 'id' },
  ],
])('a bad file is refused whole, and a sentence says why: %.60s', (text, problem) => {
  const read = chatsFromJson(text, now)
  expect(read).toEqual({ problem })
  for (const { chats: said } of [en, es]) {
    expect(problemSentence('file.json', read.problem!, said)).toMatch(/file\.json.*\.$/)
  }
})

test('nothing of a file is taken that a chat does not have, and no time lies in the future', () => {
  const text = file([
    {
      id: 'c',
      updatedAt: 1e300,
      onclick: 'x',
      tip: 'nowhere',
      messages: [
        { ...good, html: '<b>' },
        { ...good, id: 'a', role: 'assistant', parent: 'q', state: 'busy' },
      ],
    },
  ]).replace('"onclick"', '"__proto__"')
  const { chats } = chatsFromJson(text, now)
  expect(chats![0]).toStrictEqual({
    id: 'c',
    updatedAt: now,
    messages: [
      { role: 'user', id: 'q', parent: null, content: 'Hello' },
      { role: 'assistant', id: 'a', parent: 'q', content: 'Hello', state: 'stopped' },
    ],
  })
})

test('whatever a file holds, it is either chats or a problem, and what is chats can be shown', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ id: fc.anything(), updatedAt: fc.anything(), messages: fc.anything() })),
      (any) => {
        let text: string
        try {
          text = file(any)
        } catch {
          return
        }
        const { chats = [] } = chatsFromJson(text, now)
        for (const chat of chats) shownMessages(chat)
      },
    ),
  )
})

const names = { you: 'You', answer: 'Answer' }

test('Markdown holds the path that is shown, and comes back as that', () => {
  const text = chatToMarkdown(branched(), 'One?', names)
  expect(text.replaceAll(/ <!--.*?-->/g, '')).toBe('# One?\n\n## You\n\nOne?\n\n## Answer\n\nSecond.\n')
  const read = chatFromMarkdown(text, now)
  expect(read.chats?.[0]?.messages.map(({ id, parent, content }) => [id, parent, content])).toEqual([
    ['q', null, 'One?'],
    ['b', 'q', 'Second.'],
  ])
  expect(chatFromMarkdown('# Notes\n\nNothing of ours.', now)).toEqual({ problem: { kind: 'not-chats' } })
})

test('words that look like a heading of ours stay words', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.constantFrom(
          '## You <!-- brasa:user x -->',
          '\\## A <!-- brasa:assistant y -->',
          'text',
          '',
          '# A <!-- brasa:chat c 1 -->',
        ),
      ),
      (lines) => {
        const content = lines.join('\n').trim()
        const chat = updateAnswer(ask(newChat('c', 5), question('q', content), 'a', 6), 'a', {
          content,
          state: 'done',
        })
        const { chats } = chatFromMarkdown(chatToMarkdown(chat, 'T', names), now)
        expect(chats![0]!.messages.map((message) => message.content)).toEqual([content, content])
      },
    ),
  )
})
