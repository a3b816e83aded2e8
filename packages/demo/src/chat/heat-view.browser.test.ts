import { h, render } from 'preact'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { page, userEvent } from 'vitest/browser'
import { answerOptions, defaultAnswerOptions } from '../state/answer-options.ts'
import { askQuestion } from '../state/answering.ts'
import { startChat } from '../state/chats.ts'
import { callPieces, type FakeAnswer, fakeEngine, scoredPiece } from '../state/fake-engine.test-support.ts'
import { model } from '../state/model.ts'
import { Talk } from './talk.tsx'

const card = () => document.querySelector<HTMLElement>('[role=tooltip]')!
const rows = () =>
  [...card().querySelectorAll('tr')].map((row) => [...row.children].map((cell) => cell.textContent))
const token = (name: string) => page.getByRole('option', { name })

async function ask(answer: FakeAnswer): Promise<void> {
  model.value = { kind: 'ready', engine: fakeEngine(answer).engine }
  await askQuestion('What is the capital of France?')
}

beforeAll(async () => {
  await import('../theme/tokens.css')
  await import('../theme/base.css')
  await import('../controls/controls.css')
  const frame = document.body.appendChild(document.createElement('div'))
  frame.style.cssText = 'display: grid; width: 700px; height: 500px; grid-template-rows: minmax(0, 1fr)'
  render(h(Talk, {}), frame)
})

beforeEach(() => {
  startChat()
  answerOptions.value = defaultAnswerOptions
})

test('without probabilities there is nothing to show', async () => {
  await ask(() => ['Paris.'])
  await expect.element(page.getByRole('button', { name: 'Again' })).toBeVisible()
  expect(page.getByRole('button', { name: 'Probabilities' }).query()).toBeNull()
})

test('an answer is read token by token: by pointer, by focus and by arrows', async () => {
  answerOptions.value = { ...defaultAnswerOptions, keepProbabilities: true }
  await ask(() => [
    scoredPiece('Paris', 0.95, [
      ['Paris', 0.95],
      ['Lyon', 0.04],
    ]),
    scoredPiece(' shines', 0.021, [
      ['\n', 0.7],
      [' is', 0.2],
    ]),
    scoredPiece('.', 0.6, [['.', 0.6]]),
  ])
  const toggle = page.getByRole('button', { name: 'Probabilities' })
  await toggle.click()
  await expect.element(toggle).toHaveAttribute('aria-pressed', 'true')
  expect(card().hidden).toBe(true)
  const classes = [...document.querySelectorAll('.heat-tokens > .token')].map((each) => each.className)
  expect(classes).toEqual(['token heat-0', 'token heat-4', 'token heat-1'])

  await token('shines').hover()
  await expect.poll(rows).toEqual([
    ['↵\n', '70 %'],
    [' is', '20 %'],
    [' shines chosen', '2.1 %'],
  ])
  await userEvent.hover(document.querySelector('.stat')!)
  await expect.poll(() => card().hidden).toBe(true)

  // The toggle, then the tokens: one stop for Tab, and arrows from there.
  ;(token('Paris').element() as HTMLElement).focus()
  await expect.poll(() => rows()[0]).toEqual(['Paris chosen', '95 %'])
  await userEvent.keyboard('{ArrowRight}')
  await expect.element(token('shines')).toHaveFocus()
  await expect.poll(() => rows()).toHaveLength(3)
  await userEvent.keyboard('{End}')
  await expect.element(token('“.”')).toHaveFocus()
  await userEvent.keyboard('{Home}')
  await expect.poll(() => card().hidden).toBe(false)
  await userEvent.keyboard('{Escape}')
  await expect.poll(() => card().hidden).toBe(true)
  expect(document.querySelectorAll('.heat-tokens > [tabindex="0"]')).toHaveLength(1)

  await toggle.click()
  await expect.element(page.getByText('Paris shines.')).toBeVisible()
})

test('the card never leaves the column', async () => {
  answerOptions.value = { ...defaultAnswerOptions, keepProbabilities: true }
  const long = Array.from({ length: 400 }, (_, index) =>
    scoredPiece(` word${index}`, 0.3, [['x'.repeat(60), 0.5]]),
  )
  await ask(() => long)
  await page.getByRole('button', { name: 'Probabilities' }).click()
  const all = [...document.querySelectorAll<HTMLElement>('.heat-tokens > .token')]
  for (const each of [all[0]!, all[57]!, all.at(-1)!]) {
    each.focus()
    await expect.poll(() => card().hidden).toBe(false)
    // Here and now: the focus may have moved the window.
    const frame = document.querySelector('.heat')!.getBoundingClientRect()
    const { left, right } = card().getBoundingClientRect()
    expect(left).toBeGreaterThanOrEqual(frame.left)
    expect(right).toBeLessThanOrEqual(frame.right + 1)
  }
})

test('tools that were called are shown with what came of them', async () => {
  answerOptions.value = { ...defaultAnswerOptions, mode: 'tools' }
  let numRequests = 0
  await ask(() => (numRequests++ === 0 ? callPieces('calculator', '{"expression":"6*7"}') : ['It is 42.']))
  const step = page.getByRole('region', { name: 'Call of calculator' })
  await expect.element(step.getByText('{"expression":"6*7"}')).toBeVisible()
  await expect.element(step.getByText('42', { exact: true })).toBeVisible()
  await expect.element(step.getByText(/^took (under 1|\d+) ms$/)).toBeVisible()
  await expect.element(page.getByText('It is 42.')).toBeVisible()
})

test('JSON is laid out and coloured', async () => {
  answerOptions.value = { ...defaultAnswerOptions, mode: 'json' }
  await ask(() => ['{"name": ', '"Paris", "big": true', '}'])
  const code = () => document.querySelector('[data-role=answer] code')
  expect(code()?.textContent).toBe('{\n  "name": "Paris",\n  "big": true\n}')
  await expect.poll(() => code()?.querySelector('.hljs-attr')?.textContent).toBe('"name"')
})
