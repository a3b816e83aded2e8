import fc from 'fast-check'
import { expect, test } from 'vitest'
import { reviveProbabilities, reviveRounds, roundMessages } from './answer-parts.ts'
import { ask, newChat, requestMessages, updateAnswer } from './conversation.ts'
import { reviveChat } from './revive.ts'

const call = { id: 'call_1', name: 'calculator', arguments: '{"expression":"6*7"}', result: '42', tookMs: 1 }
const rounds = [{ content: 'Let me see.', calls: [call] }]

test('calls and their results are repeated in the next request, before the words', () => {
  let chat = ask(newChat('c', 1), { role: 'user', id: 'q', content: 'What is 6 times 7?' }, 'a', 2)
  chat = updateAnswer(chat, 'a', { content: 'It is 42.', state: 'done', rounds })
  chat = ask(chat, { role: 'user', id: 'q2', content: 'And more?' }, 'a2', 3)
  const revived = reviveChat(JSON.parse(JSON.stringify(chat)))!
  expect(requestMessages(revived, 'a2', '')).toEqual([
    { role: 'user', content: 'What is 6 times 7?' },
    {
      role: 'assistant',
      content: 'Let me see.',
      tool_calls: [
        {
          id: 'call_1',
          type: 'function',
          function: { name: 'calculator', arguments: '{"expression":"6*7"}' },
        },
      ],
    },
    { role: 'tool', content: '42', tool_call_id: 'call_1' },
    { role: 'assistant', content: 'It is 42.' },
    { role: 'user', content: 'And more?' },
  ])
})

test('a call that was stopped before its result is kept, and not sent', () => {
  const { result: _, ...stopped } = call
  expect(reviveRounds([{ content: '', calls: [stopped] }])).toHaveLength(1)
  expect(roundMessages([{ content: '', calls: [stopped] }])).toEqual([])
  expect(roundMessages([{ content: '', calls: [call, stopped] }])).toHaveLength(2)
})

test('what is stored may be anything', () => {
  expect(reviveProbabilities([['Paris', 0.9, 'Lyon', 0.05], ['odd'], ['x', 'y'], null, ['a', 1]])).toEqual([
    ['Paris', 0.9, 'Lyon', 0.05],
    ['a', 1],
  ])
  fc.assert(
    fc.property(fc.anything(), (stored) => {
      for (const round of reviveRounds(stored) ?? []) expect(round.calls.length).toBeGreaterThan(0)
      for (const token of reviveProbabilities(stored) ?? []) expect(token.length % 2).toBe(0)
      const answer = { role: 'assistant', id: 'a', content: '', rounds: stored, probabilities: stored }
      const chat = reviveChat({ id: 'c', updatedAt: 1, messages: [answer] })
      expect(() => requestMessages(chat!, 'b', '')).not.toThrow()
    }),
  )
})
