import fc from 'fast-check'
import { h, render } from 'preact'
import { afterEach, expect, test } from 'vitest'
import { AnswerText } from './answer-text.tsx'
import { hostileAnswers, hostilePieces, whatIsWrong } from './hostile.test-support.ts'

const trap = globalThis as { caught?: unknown }
const root = document.body.appendChild(document.createElement('div'))

/** The answer as the page draws it, in the page. */
function show(content: string): void {
  render(null, root)
  render(h(AnswerText, { content }), root)
}

/** What was asked of other hosts since the page was opened. */
function strangers(): readonly string[] {
  return performance
    .getEntriesByType('resource')
    .map(({ name }) => name)
    .filter((name) => !name.startsWith(location.origin) && !/^(data|blob):/.test(name))
}

afterEach(() => render(null, root))

test('hostile answers come out as text, structure and plain links; nothing runs, nothing is fetched', async () => {
  const answers = hostileAnswers()
  expect(answers.length).toBeGreaterThan(800)
  const { length } = document.body.children
  for (const answer of answers) {
    show(answer)
    expect(whatIsWrong(root), answer.slice(0, 200)).toEqual([])
  }
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(trap.caught).toBeUndefined()
  expect(strangers()).toEqual([])
  expect(document.body.children).toHaveLength(length)
})

test('so do mixtures of their pieces, whole and as they grow', async () => {
  const mixture = fc
    .array(fc.constantFrom(...hostilePieces), { minLength: 1, maxLength: 8 })
    .map((pieces) => pieces.join(''))
  fc.assert(
    fc.property(mixture, fc.nat(), (answer, place) => {
      show(answer.slice(0, place % (answer.length + 1)))
      expect(whatIsWrong(root)).toEqual([])
      render(h(AnswerText, { content: answer }), root)
      expect(whatIsWrong(root)).toEqual([])
    }),
    { numRuns: 400 },
  )
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(trap.caught).toBeUndefined()
  expect(strangers()).toEqual([])
})

test('the trap itself: what is not cleaned is caught', async () => {
  const image = document.createElement('div')
  image.innerHTML = '<img src="data:," onerror="globalThis.caught = 1"><a href="javascript:1">x</a>'
  root.append(image)
  expect(whatIsWrong(root)).toContain('<img>')
  expect(whatIsWrong(root)).toContain('link to javascript:1')
  await expect.poll(() => trap.caught).toBe(1)
  delete trap.caught
  image.remove()
})
