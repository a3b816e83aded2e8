import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createThoughtSplitter } from './thoughts.ts'

/** What the splitter makes of an answer that comes in `pieces`. */
function split(pieces: readonly string[], isOpen = false) {
  const splitter = createThoughtSplitter(isOpen)
  const spoken = [...pieces.map((piece) => splitter.push(piece)), splitter.end()]
  return {
    thought: spoken.map(({ thought }) => thought).join(''),
    text: spoken.map(({ text }) => text).join(''),
  }
}

const whole = '<think>\nIs 7 < 8? Yes:\n\n7 is less.\n</think>\n\nYes, 7 < 8.\n'
const apart = { thought: 'Is 7 < 8? Yes:\n\n7 is less.', text: 'Yes, 7 < 8.\n' }

test('a thought is kept apart, without its tags and the white space around it', () => {
  expect(split([whole])).toEqual(apart)
  expect(split([...whole])).toEqual(apart)
})

/** Thought and answer of a whole text, white space aside. */
function splitWhole(text: string, isOpen: boolean) {
  const spoken = { thought: '', text: '' }
  let thinking = isOpen
  for (const part of text.split(/(<\/?think>)/)) {
    if (part === '<think>') thinking = true
    else if (part === '</think>') thinking = false
    else spoken[thinking ? 'thought' : 'text'] += part.replace(/\s/g, '')
  }
  return spoken
}

test('however an answer is cut into pieces, thought and answer are the same', () => {
  const parts = ['<think>', '</think>', '<th', 'ink>', '</', '<', ' ', '\n', 'a', 'b > c']
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...parts)).map((words) => words.join('')),
      fc.array(fc.nat({ max: 30 })),
      fc.boolean(),
      (text, cuts, isOpen) => {
        const places = [
          0,
          ...cuts.map((cut) => Math.min(cut, text.length)).sort((a, b) => a - b),
          text.length,
        ]
        const pieces = places.slice(1).map((end, index) => text.slice(places[index], end))
        const spoken = split(pieces, isOpen)
        expect(spoken).toEqual(split([text], isOpen))
        const withoutSpace = {
          thought: spoken.thought.replace(/\s/g, ''),
          text: spoken.text.replace(/\s/g, ''),
        }
        expect(withoutSpace).toEqual(splitWhole(text, isOpen))
      },
    ),
  )
})

test('what the prompt has opened is a thought from the first word', () => {
  expect(split(['\nHm', 'm.\n</thi', 'nk>\n', '\nHello.'], true)).toEqual({ thought: 'Hmm.', text: 'Hello.' })
})

test('a thought that is cut off stays a thought', () => {
  expect(split(['<think>', 'Let me see</thi'])).toEqual({ thought: 'Let me see</thi', text: '' })
  expect(split(['Let me'], true)).toEqual({ thought: 'Let me', text: '' })
})

test('words are told as soon as they cannot be a tag', () => {
  const splitter = createThoughtSplitter(false)
  expect(splitter.push('a <')).toEqual({ thought: '', text: 'a ' })
  expect(splitter.push('t')).toEqual({ thought: '', text: '' })
  expect(splitter.push('r>')).toEqual({ thought: '', text: '<tr>' })
  expect(splitter.push('<think>b')).toEqual({ thought: 'b', text: '' })
})

test('an empty thought is none, and a tag that closes nothing is dropped', () => {
  expect(split(['<think>\n\n</think>\n\nHi.'])).toEqual({ thought: '', text: 'Hi.' })
  expect(split(['Hi', '</think>', ' you.'])).toEqual({ thought: '', text: 'Hi you.' })
})
