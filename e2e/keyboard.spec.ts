import { expect, type Page, test } from '@playwright/test'
import { answerGreedily, expectReady, lastAnswer, longTask } from './chat-page.ts'

/** Tab until the focus is on what is named so: a person without a pointer gets there no other way. */
async function tabTo(page: Page, name: string | RegExp, role?: string): Promise<void> {
  const seen: string[] = []
  for (let step = 0; step < 60; step++) {
    const focus = page.locator('*:focus')
    const matches =
      role === undefined
        ? page.getByLabel(name).or(page.getByText(name))
        : page.getByRole(role as 'button', { name })
    if ((await focus.and(matches).count()) > 0) return
    seen.push(
      await page.evaluate(
        () => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '',
      ),
    )
    await page.keyboard.press('Tab')
  }
  throw new Error(
    `Tab never came to ${name}; it came by ${seen.map((text) => text.slice(0, 24)).join(' | ')}`,
  )
}

/** Tab reaches it, and Enter does what it says. */
async function press(page: Page, name: string | RegExp, role = 'button'): Promise<void> {
  await tabTo(page, name, role)
  await page.keyboard.press('Enter')
}

const answers = (page: Page) => page.getByRole('article', { name: 'Answer' })

test('without a pointer: load, ask, stop, again, edit, chats, copy, models, theme and language', async ({
  page,
  context,
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await answerGreedily(page)
  await page.addInitScript(() => localStorage.setItem('brasa.backend', JSON.stringify('wasm')))
  await page.goto('/')

  // The first Tab offers the way past the side.
  await page.keyboard.press('Tab')
  await expect(page.getByRole('button', { name: 'Skip to the content' })).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('main')).toBeFocused()
  await press(page, 'Load model')
  await expectReady(page)

  // Ask, and stop with Esc.
  const box = page.getByLabel('Message')
  await page.locator('body').press('/')
  await expect(box).toBeFocused()
  await page.keyboard.type(longTask)
  await page.keyboard.press('Enter')
  await expect(answers(page).last().locator('[data-role=answer]')).not.toBeEmpty()
  await page.keyboard.press('Escape')
  await expect(page.getByText('Stopped')).toBeVisible()

  // The same question in other words, from the box: it is edited in its own place.
  await expect(box).toBeFocused()
  await page.keyboard.press('ArrowUp')
  const editor = page.getByLabel('Question in other words')
  await expect(editor).toBeFocused()
  await expect(editor).toHaveValue(longTask)
  await page.keyboard.press('ControlOrMeta+a')
  await page.keyboard.type('What is the capital of France?')
  await page.keyboard.press('Enter')
  expect(await lastAnswer(page)).toBe('The capital of France is Paris.')
  await expect(answers(page)).toHaveCount(1)

  // Copied and asked again, by keys and by buttons.
  await page.keyboard.press('Alt+c')
  await expect(page.getByText('The answer is copied.')).toBeVisible()
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('The capital of France is Paris.')
  await page.keyboard.press('Alt+r')
  expect(await lastAnswer(page)).toBe('The capital of France is Paris.')

  // A new chat, and back and forth between the two.
  await page.keyboard.press('Alt+n')
  await expect(answers(page)).toHaveCount(0)
  await expect(box).toBeFocused()
  await page.keyboard.type('Say hello.')
  await page.keyboard.press('Enter')
  await lastAnswer(page)
  await page.keyboard.press('Alt+ArrowDown')
  await expect(page.getByText('The capital of France is Paris.')).toBeVisible()
  await page.keyboard.press('Alt+ArrowUp')
  await expect(page.getByText('The capital of France is Paris.')).toBeHidden()

  // With a model and answers on the page, none of it is left in English either.
  await page.keyboard.press('Alt+,')
  await chooseSpanish(page)
  await page.keyboard.press('Escape')
  await expect(page.getByLabel('Estado del modelo')).toHaveText('En este dispositivo')
  const saidBefore = ['What is the capital of France?', 'The answer is copied.']
  expect((await englishLeft(page)).filter((text) => !saidBefore.includes(text))).toEqual([])
})

/** In the open preferences. */
async function chooseSpanish(page: Page): Promise<void> {
  await tabTo(page, 'Language', 'combobox')
  await page.keyboard.press('ArrowDown')
  await expect(page.locator('html')).toHaveAttribute('lang', 'es')
}

test('sheets open by keys, hold the focus, close with Esc, and give the focus back', async ({ page }) => {
  await page.goto('/')
  const models = page.getByRole('button', { name: /^Models:/ })
  await tabTo(page, /^Models:/, 'button')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('dialog', { name: 'Models' })).toBeVisible()
  for (let step = 0; step < 30; step++) {
    await page.keyboard.press('Tab')
    // Beyond the last control lies the browser's own bar, then the first one again: never the page behind.
    expect(await page.evaluate(() => document.activeElement?.closest('dialog, body')?.tagName)).toMatch(
      /DIALOG|BODY/,
    )
    expect(await page.evaluate(() => document.activeElement?.matches('main *, .side *'))).toBe(false)
  }
  await page.keyboard.press('Escape')
  await expect(page.getByRole('dialog')).toBeHidden()
  await expect(models).toBeFocused()

  // `?` lists every key; the cross gives the focus back as well.
  await page.keyboard.press('?')
  const keys = page.getByRole('dialog', { name: 'Keys' })
  await expect(keys).toBeVisible()
  await expect(keys.getByText('New chat')).toBeVisible()
  await press(page, 'Close')
  await expect(keys).toBeHidden()
  await expect(models).toBeFocused()

  // The parts of the page.
  for (const [key, hash] of [
    ['2', '#models'],
    ['3', '#compare'],
    ['4', '#onnx'],
    ['5', '#api'],
    ['1', '#chat'],
  ]) {
    await page.keyboard.press(`Alt+${key}`)
    await expect(page).toHaveURL(new RegExp(`${hash}$`))
  }

  // The panel beside the chat goes and comes.
  const panel = page.getByRole('complementary', { name: 'Machine and settings' })
  await expect(panel).toBeVisible()
  await page.keyboard.press('Alt+p')
  await expect(panel).toBeHidden()
  await page.reload()
  await expect(page.getByRole('button', { name: 'Load model' })).toBeVisible()
  await expect(panel).toBeHidden()
  await page.keyboard.press('Alt+p')
  await expect(panel).toBeVisible()
})

test('theme and language are chosen by keys, kept, and the page in Spanish has no English left', async ({
  page,
}) => {
  await page.emulateMedia({ colorScheme: 'light' })
  await page.goto('/')
  await expect(page.getByRole('button', { name: 'Load model' })).toBeVisible()
  await page.keyboard.press('Alt+,')
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
  const light = await background()
  await tabTo(page, 'System', 'radio')
  await page.keyboard.press('ArrowLeft')
  await expect(page.getByRole('radio', { name: 'Dark' })).toBeChecked()
  expect(await background()).not.toBe(light)
  await expect(page.locator('meta[name=theme-color]').first()).toHaveAttribute('content', '#130f0c')

  await chooseSpanish(page)
  await page.keyboard.press('Escape')
  await page.reload()
  await expect(page.getByRole('button', { name: 'Cargar el modelo' })).toBeVisible()
  await expect(page.locator('html')).toHaveAttribute('lang', 'es')
  expect(await background()).not.toBe(light)
  expect(await englishLeft(page)).toEqual([])
})

/** Words of en.ts that are seen or heard on the page and are others in es.ts. */
async function englishLeft(page: Page): Promise<readonly string[]> {
  const [{ en }, { es }] = await Promise.all([
    import('../packages/demo/src/words/en.ts'),
    import('../packages/demo/src/words/es.ts'),
  ])
  const texts = (value: unknown): readonly string[] =>
    typeof value === 'string'
      ? [value]
      : typeof value === 'object' && value !== null
        ? Object.values(value).flatMap(texts)
        : []
  const spanish = new Set(texts(es))
  const english = new Set(texts(en).filter((text) => !spanish.has(text)))
  const shown = await page.evaluate(() => {
    const said: string[] = []
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT)
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      if (node instanceof Element) {
        for (const name of ['aria-label', 'title', 'placeholder', 'aria-valuetext']) {
          said.push(node.getAttribute(name) ?? '')
        }
      } else said.push(node.textContent?.trim() ?? '')
    }
    return said
  })
  return shown.filter((text) => english.has(text))
}
