import { expect, test } from 'vitest'
import { nextSpoken } from './spoken.ts'

/** What is said while an answer arrives a few letters at a time. */
function listen(answer: string, step = 3): readonly string[] {
  const said: string[] = []
  let end = 0
  for (let length = step; length < answer.length + step; length += step) {
    const next = nextSpoken(answer.slice(0, length), end, length >= answer.length)
    if (next === undefined) continue
    said.push(next.text)
    end = next.end
  }
  return said
}

test('an answer is said by the sentence, each once, and its last words when it ends', () => {
  const answer =
    'Paris is the capital of France, on the river Seine. It has 2.1 million people. Many visit it every year, and more'
  expect(listen(answer)).toEqual([
    'Paris is the capital of France, on the river Seine.',
    'It has 2.1 million people. Many visit it every year, and more',
  ])
  expect(listen(answer).join(' ')).toBe(answer)
})

test.each([1, 2, 7, 50])('whatever the pieces of %i letters, every word is said once, in order', (step) => {
  const answer =
    'One two three. Four five six seven eight nine ten eleven! Twelve?\n\nThirteen fourteen. 3.14 is pi'
  expect(listen(answer, step).join(' ')).toBe(answer.replace(/\s+/g, ' '))
})

test('marks of Markdown are not read out', () => {
  expect(
    listen('## A **bold** list\n\n- one `x`\n- [two](https://example.com)\n\n```js\nlet x\n```\n').join(' '),
  ).toBe('A bold list one x two let x')
})

test('an answer that stops in mid-word ends with what there is, and an empty one says nothing', () => {
  expect(nextSpoken('Half a wo', 0, true)).toEqual({ end: 9, text: 'Half a wo' })
  expect(nextSpoken('Half a wo', 0, false)).toBeUndefined()
  expect(nextSpoken('', 0, false)).toBeUndefined()
})
