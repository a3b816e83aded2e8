import { expect, type Page, test } from '@playwright/test'
import { hostileAnswers, whatIsWrong } from '../packages/demo/src/chat/hostile.test-support.ts'

interface Watched {
  caught?: unknown
  violations: string[]
}

/** Puts a chat where the page finds it, as it was stored by an earlier visit. */
async function storeChat(page: Page, answers: readonly object[]): Promise<void> {
  const messages = answers.flatMap((answer, index) => [
    { role: 'user', id: `q${index}`, content: `Question ${index}` },
    { role: 'assistant', id: `a${index}`, content: '', state: 'done', ...answer },
  ])
  await page.addInitScript(
    (chat) => {
      localStorage.setItem('brasa.chat.hostile', JSON.stringify(chat))
      localStorage.setItem('brasa.current', JSON.stringify('hostile'))
    },
    { id: 'hostile', updatedAt: Date.now(), messages },
  )
}

/** What the page did that it must not do. */
async function watch(page: Page, origin: string) {
  const requests: string[] = []
  const dialogs: string[] = []
  page.on('request', (request) => {
    const url = request.url()
    if (!url.startsWith(origin) && !/^(data|blob):/.test(url)) requests.push(url)
  })
  page.on('dialog', (dialog) => {
    dialogs.push(dialog.message())
    void dialog.dismiss()
  })
  await page.addInitScript(() => {
    const watched = globalThis as unknown as Watched
    watched.violations = []
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
      watched.violations.push(`${violatedDirective} ${blockedURI}`),
    )
  })
  return { requests, dialogs }
}

/** The check of the tests of the page's parts, run in the page. */
const wrongIn = (page: Page, selector: string) =>
  page.evaluate<string[]>(
    `[...document.querySelectorAll(${JSON.stringify(selector)})].flatMap(${whatIsWrong.toString()})`,
  )

test('hostile answers, thoughts, calls, JSON and tokens: nothing leaves, nothing runs, and the page is whole', async ({
  page,
  baseURL,
}) => {
  const all = hostileAnswers()
  expect(all.length).toBeGreaterThan(800)
  const some = all.filter((_, index) => index % 8 === 0)
  const call = (text: string) => ({ id: text, name: text, arguments: text, result: text, tookMs: 3 })
  const answers = [
    ...all.map((content) => ({ content })),
    ...some.map((text) => ({ content: text, format: 'json' })),
    ...some.map((text) => ({
      content: 'x',
      thought: text,
      rounds: [{ content: text, calls: [call(text)] }],
    })),
    ...some.map((text) => ({ content: 'x', state: 'failed', failure: { code: text, message: text } })),
    { content: 'x', probabilities: some.map((text) => [text, 0.5, text, 0.5, `${text} too`, 0.1]) },
    { content: '```js\nlet ready = 1\n```\nThe end.' },
  ]
  const { requests, dialogs } = await watch(page, baseURL!)
  // A page that is taken apart throws; what an answer does must not.
  const errors: string[] = []
  page.on('pageerror', ({ message }) => errors.push(message))
  await storeChat(page, answers)
  await page.goto('/')
  const shown = page.getByRole('article', { name: 'Answer' })
  await expect(shown).toHaveCount(answers.length)
  // The highlighter has come, and has coloured hostile code as well.
  await expect(page.locator('.hljs-keyword').last()).toHaveText('let')

  await page.getByRole('button', { name: 'Probabilities' }).last().click()
  const tokens = page.getByRole('listbox').getByRole('option')
  await expect(tokens).toHaveCount(some.length)
  await tokens.first().hover()
  await expect(page.getByRole('tooltip').first()).toBeVisible()
  await page.evaluate(() => {
    for (const thought of document.querySelectorAll('details')) thought.open = true
    document.querySelector('.talk')!.scrollTop = 0
  })
  // What hovering, focusing and scrolling into view would set off.
  for (const link of (await page.locator('.prose a').all()).slice(0, 20)) await link.focus()

  expect(await wrongIn(page, '[data-role=answer], [data-role=thought], .round > .prose')).toEqual([])
  expect(await page.locator('.step :is(a, img, script, svg)').count()).toBe(0)
  expect(await page.locator('.heat :is(a, img, script, svg)').count()).toBe(0)

  const whole = () =>
    page.evaluate(() => ({
      caught: (globalThis as unknown as Watched).caught,
      violations: (globalThis as unknown as Watched).violations,
      app: document.querySelector('#app') instanceof HTMLElement,
      display: getComputedStyle(document.body).display,
      scrolls: document.documentElement.scrollWidth > innerWidth,
      outside: document.querySelectorAll('body > :not(#app, script, noscript)').length,
      base: document.baseURI === location.href,
    }))
  const untouched = { violations: [], app: true, display: 'block', scrolls: false, outside: 0, base: true }
  expect(await whole()).toEqual(untouched)
  await page.setViewportSize({ width: 360, height: 740 })
  expect(await whole()).toEqual(untouched)

  await expect(page).toHaveURL(`${baseURL}/`)
  await expect(page.getByLabel('Message')).toBeVisible()
  await page.getByLabel('Message').fill('Still here')
  await expect(page.getByLabel('Message')).toHaveValue('Still here')
  expect({ requests, dialogs, errors }).toEqual({ requests: [], dialogs: [], errors: [] })
})
