import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ask, askAgain, askInstead, type Chat, newChat, renameChat, updateAnswer } from './conversation.ts'
import { addMissing, mergeChats } from './merge.ts'

const question = (id: string) => ({ role: 'user' as const, id, content: id })
const base = ask(newChat('c', 1), question('q'), 'a', 1)

test('two tabs that write in one chat lose nothing, and see the same order', () => {
  const left = ask(base, question('left'), 'left-answer', 2)
  const right = ask(base, question('right'), 'right-answer', 3)
  const stored = mergeChats(left, right)
  const ids = ['q', 'a', 'left', 'left-answer', 'right', 'right-answer']
  expect(stored.messages.map(({ id }) => id)).toEqual(ids)
  expect(mergeChats(stored, left).messages).toEqual(stored.messages)
  expect(stored.updatedAt).toBe(3)
  // Each tab goes on showing its own.
  expect(stored.tip).toBe('right-answer')
  expect(mergeChats(stored, left).tip).toBe('left-answer')
})

test('of an answer the later version stays, and of two of one moment the one that has ended', () => {
  const early = updateAnswer(base, 'a', { content: 'On', state: 'streaming', changedAt: 5 })
  const late = updateAnswer(base, 'a', { content: 'Once upon', state: 'streaming', changedAt: 6 })
  const cut = updateAnswer(early, 'a', { state: 'stopped' })
  expect(mergeChats(early, late)).toBe(late)
  expect(mergeChats(late, early).messages).toEqual(late.messages)
  expect(mergeChats(late, cut).messages).toEqual(late.messages)
  expect(mergeChats(cut, early).messages).toEqual(cut.messages)
  expect(mergeChats(early, cut)).toBe(cut)
})

test('of two titles the later one stays, even if it takes the other away', () => {
  const named = renameChat(base, 'Named', 5)
  const unnamed = renameChat(named, '', 6)
  expect(mergeChats(named, base).title).toBe('Named')
  expect(mergeChats(unnamed, named).title).toBeUndefined()
  expect(mergeChats(named, unnamed)).toBe(unnamed)
})

test('whatever two tabs do and in whichever order they write, every message is there and says the same', () => {
  const move = fc.tuple(fc.constantFrom('ask', 'again', 'edit', 'write'), fc.boolean())
  fc.assert(
    fc.property(fc.array(move, { maxLength: 12 }), (moves) => {
      const tabs: [Chat, Chat] = [base, base]
      let stored = base
      moves.forEach(([kind, second], index) => {
        const tab = second ? 1 : 0
        const mine = tabs[tab]
        const target = mine.messages[index % mine.messages.length]!
        if (kind === 'ask') tabs[tab] = ask(mine, question(`q${index}`), `a${index}`, index)
        if (kind === 'again') tabs[tab] = askAgain(mine, target.id, `a${index}`, index)
        if (kind === 'edit')
          tabs[tab] = askInstead(mine, target.id, question(`q${index}`), `a${index}`, index)
        if (kind === 'write') {
          stored = mergeChats(stored, mine)
          tabs[tab] = stored
        }
      })
      const [left, right] = tabs
      const first = mergeChats(mergeChats(stored, left), right)
      const second = mergeChats(first, left)
      const ids = new Set([...left.messages, ...right.messages, ...stored.messages].map(({ id }) => id))
      expect(new Set(first.messages.map(({ id }) => id))).toEqual(ids)
      expect(first.messages).toHaveLength(ids.size)
      expect(second.messages).toEqual(first.messages)
      // What is followed stands before what follows it.
      first.messages.forEach(({ parent }, index) => {
        if (parent !== null) expect(first.messages.findIndex(({ id }) => id === parent)).toBeLessThan(index)
      })
    }),
  )
})

test('a file adds what is missing and changes nothing that is here', () => {
  const mine = updateAnswer(base, 'a', { content: 'Mine.', state: 'done' })
  const other = ask(updateAnswer(base, 'a', { content: 'Forged.', changedAt: 9e15 }), question('r'), 'b', 4)
  const both = addMissing(mine, other)
  expect(both.messages.slice(0, 2)).toEqual(mine.messages)
  expect(both.messages.map(({ id }) => id)).toEqual(['q', 'a', 'r', 'b'])
  expect(addMissing(both, other)).toBe(both)
})
