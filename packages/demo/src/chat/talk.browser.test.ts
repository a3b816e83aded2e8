import { h, render } from 'preact'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { askQuestion, stopAnswering } from '../state/answering.ts'
import { startChat } from '../state/chats.ts'
import { type FakeAnswer, fakeEngine } from '../state/fake-engine.test-support.ts'
import { model } from '../state/model.ts'
import { Talk } from './talk.tsx'

/** Past the drawing of a frame: what observers of sizes did is done. */
const drawn = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))

const scroller = () => document.querySelector<HTMLElement>('.talk')!
const distance = () => scroller().scrollHeight - scroller().scrollTop - scroller().clientHeight
const lastAnswer = () => [...document.querySelectorAll<HTMLElement>('[data-role="answer"]')].at(-1)

function answerWith(answer: FakeAnswer): void {
  model.value = { kind: 'ready', engine: fakeEngine(answer).engine }
}

const numChunks = 2000
const lines = [
  'A paragraph with **bold words** and `code` that goes on for a while, so that it wraps.\n\n',
  '- one\n- two\n  - three\n\n',
  '```python\ndef f(x):\n    return x * 2  # twice\n```\n\n',
  '| a | b |\n|---|---|\n| 1 | 2 |\n\n',
  '> A quotation.\n\n## A heading\n\n',
]
/** Two thousand pieces of Markdown, cut anywhere. */
const text = lines.join('').repeat(60).slice(0, 14_000)
const chunkAt = (index: number) => text.slice(7 * index, 7 * index + 7)

/** Streams the chunks, some a frame; holds at each of `gates` until it is opened. */
function streamed(gates: Map<number, Promise<void>>): FakeAnswer {
  return async function* () {
    for (let index = 0; index < numChunks; index++) {
      if (index % 8 === 0) await drawn()
      await gates.get(index)
      yield chunkAt(index)
    }
  }
}

beforeAll(async () => {
  await import('../theme/tokens.css')
  await import('../theme/base.css')
  await import('../controls/controls.css')
  const frame = document.body.appendChild(document.createElement('div'))
  frame.style.cssText = 'display: grid; width: 700px; height: 500px; grid-template-rows: minmax(0, 1fr)'
  render(h(Talk, {}), frame)
})

beforeEach(() => startChat())

test('over two thousand chunks the end stays in sight, and a reader who scrolled up is never moved', async () => {
  let goOn = () => {}
  const gate = new Promise<void>((resolve) => {
    goOn = resolve
  })
  answerWith(streamed(new Map([[1000, gate]])))
  const whole = askQuestion('Tell me everything')

  let top = 0
  let numSamples = 0
  while ((lastAnswer()?.textContent?.length ?? 0) < 4500) {
    await drawn()
    expect(distance()).toBeLessThanOrEqual(1)
    expect(scroller().scrollTop).toBeGreaterThanOrEqual(top)
    top = scroller().scrollTop
    numSamples += 1
  }
  expect(numSamples).toBeGreaterThan(50)
  expect(top).toBeGreaterThan(2000)

  // A step of the wheel is enough to let go.
  scroller().scrollTop -= 40
  await drawn()
  const kept = scroller().scrollTop
  const words = [...document.querySelectorAll('.block')].find(
    (block) => block.getBoundingClientRect().top > 0,
  )!
  const wordsTop = words.getBoundingClientRect().top
  goOn()
  while (lastAnswer()?.dataset.state !== 'done') {
    await drawn()
    expect(scroller().scrollTop).toBe(kept)
    expect(words.getBoundingClientRect().top).toBe(wordsTop)
  }
  await whole
  await drawn()
  expect(scroller().scrollTop).toBe(kept)
  expect(distance()).toBeGreaterThan(2000)

  document.querySelector<HTMLElement>('[aria-label="To the end"]')!.click()
  await drawn()
  expect(distance()).toBeLessThanOrEqual(1)
})

test('an answer that ends, and code that is coloured, move no text', async () => {
  let end = () => {}
  const gate = new Promise<void>((resolve) => {
    end = resolve
  })
  answerWith(async function* () {
    yield `${lines.join('').repeat(4)}The last words.`
    await gate
  })
  const whole = askQuestion('Tell me')
  await expect.poll(() => lastAnswer()?.textContent).toContain('The last words.')
  await drawn()
  const place = () => lastAnswer()!.lastElementChild!.getBoundingClientRect().top
  const before = { top: place(), height: scroller().scrollHeight }
  end()
  await whole
  await drawn()
  expect(lastAnswer()?.dataset.state).toBe('done')
  expect({ top: place(), height: scroller().scrollHeight }).toEqual(before)
  await expect.poll(() => document.querySelector('.hljs-keyword')).not.toBeNull()
  await drawn()
  expect({ top: place(), height: scroller().scrollHeight }).toEqual(before)
})

test('Stop works while the question is read, in mid-thought and in mid-answer', async () => {
  const stages: readonly [string, FakeAnswer][] = [
    [
      '',
      async function* (_, signal) {
        await stopped(signal)
        yield ''
      },
    ],
    [
      '',
      async function* (_, signal) {
        yield { delta: { reasoning_content: 'Hm.' } }
        await stopped(signal)
      },
    ],
    [
      'Once',
      async function* (_, signal) {
        yield 'Once'
        await stopped(signal)
      },
    ],
  ]
  for (const [words, answer] of stages) {
    startChat()
    answerWith(answer)
    const whole = askQuestion('Well?')
    await drawn()
    await drawn()
    stopAnswering()
    await whole
    await expect.poll(() => lastAnswer()?.dataset.state).toBe('stopped')
    expect(lastAnswer()?.textContent).toBe(words)
  }
})

const stopped = (signal: AbortSignal) => new Promise((resolve) => signal.addEventListener('abort', resolve))

test('a live region says an answer sentence by sentence, each once, and holds none of it afterwards', async () => {
  const region = document.querySelector<HTMLElement>('[data-role="announcer"]')!
  const said: string[] = []
  const observer = new MutationObserver(() => {
    if (region.textContent !== '') said.push(region.textContent!)
  })
  observer.observe(region, { childList: true, characterData: true, subtree: true })
  const whole =
    'Embers glow because they are hot enough to shine. They need **air** to go on. A fire that is covered goes out, and one that is fed grows! Short'
  answerWith(async function* () {
    for (const letters of whole.match(/.{1,3}/g)!) {
      yield letters
      await drawn()
    }
  })
  await askQuestion('Why do embers glow?')
  await expect.poll(() => region.textContent, { timeout: 20_000 }).toBe('')
  observer.disconnect()
  expect(region.getAttribute('role')).toBe('status')
  expect(said).toEqual([
    'Embers glow because they are hot enough to shine.',
    'They need air to go on. A fire that is covered goes out, and one that is fed grows!',
    'Short',
  ])
  // Nothing else that grows with the answer is read out.
  const log = document.querySelector('[role="log"]')!
  expect(log.getAttribute('aria-live')).toBe('off')
  expect(log.querySelector('[aria-live="polite"], [role="status"]')).toBeNull()
})
