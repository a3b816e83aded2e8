import { h, render } from 'preact'
import { expect, test, vi } from 'vitest'
import { fakeEngine } from '../state/fake-engine.test-support.ts'

const drawn = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))

const sentences = [
  'Embers glow because they are hot enough to shine. ',
  'A fire that is covered with ashes for a night is an ember in the morning.',
]

vi.mock('@brasa/runtime', async (importOriginal) => ({
  ...(await importOriginal<typeof import('@brasa/runtime')>()),
  listStoredModels: async () => [],
  createEngine: async () =>
    fakeEngine(async function* () {
      for (const letters of sentences.join('').match(/.{1,4}/g)!) {
        yield letters
        await drawn()
      }
    }).engine,
}))

test('two answers are read out by whole sentences, with their letters, in turn and at once', async () => {
  const { choosePane, compare, order } = await import('../state/comparison.ts')
  const { PaneView } = await import('./pane-view.tsx')
  await choosePane('a', { modelId: 'small' })
  await choosePane('b', { modelId: 'small', backend: 'wasm' })
  const place = document.body.appendChild(document.createElement('div'))
  render([h(PaneView, { side: 'a' }), h(PaneView, { side: 'b' })], place)
  const regions = [...place.querySelectorAll<HTMLElement>('[data-role="announcer"]')]
  const said: string[] = []
  for (const region of regions) {
    const observer = new MutationObserver(() => region.textContent !== '' && said.push(region.textContent!))
    observer.observe(region, { childList: true, characterData: true, subtree: true })
  }
  const [first, second] = sentences.map((sentence) => sentence.trim())
  await compare('Why do embers glow?')
  await drawn()
  expect(said).toEqual([`Model A: ${first}`, second, `Model B: ${first}`, second])
  said.length = 0
  order.value = 'once'
  await compare('Why do embers glow?')
  await drawn()
  expect([...said].sort()).toEqual(
    [`Model A: ${first}`, `Model A: ${second}`, `Model B: ${first}`, `Model B: ${second}`].sort(),
  )
  // The text itself is no live region: it would be read anew with every token.
  expect(place.querySelectorAll('[role="log"], [aria-live="polite"]')).toHaveLength(0)
  expect(place.querySelector('[data-role="compared"]')?.textContent).toBe(sentences.join('').trim())
})
