import { expect, type Page, test } from '@playwright/test'
import { expectReady, lastAnswer, longTask } from './chat-page.ts'
import { chooseOption, press, pressButton, tabTo, typeInto } from './keys.ts'

const answers = (page: Page) => page.getByRole('article', { name: 'Answer' })

test('without a pointer: settings, load, ask, stop, again, edit, chats, copy, models, theme and language', async ({
  page,
  context,
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.goto('/')

  // The first Tab offers the way past the side.
  await page.keyboard.press('Tab')
  await expect(page.getByRole('button', { name: 'Skip to the content' })).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('main')).toBeFocused()

  // Where the model runs, and that it takes the likeliest words.
  await chooseOption(page, page.getByLabel('Run on'), 'CPU (WebAssembly)')
  await typeInto(page, page.getByRole('spinbutton', { name: 'Temperature' }), '0')
  await expect(page.getByText(/^At temperature 0 the likeliest/)).toBeVisible()
  await pressButton(page, 'Load model')
  await expectReady(page)
  await expect(page.getByRole('region', { name: 'Running on' }).getByText(/^WebAssembly on /)).toBeVisible()

  // Ask, and stop with Esc.
  const box = page.getByLabel('Message')
  await page.keyboard.press('/')
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
  const copied = () => page.evaluate(() => navigator.clipboard.readText())
  expect(await copied()).toBe('The capital of France is Paris.')
  await page.keyboard.press('Alt+r')
  expect(await lastAnswer(page)).toBe('The capital of France is Paris.')
  await page.evaluate(() => navigator.clipboard.writeText(''))
  await pressButton(page, 'Copy answer')
  await expect(page.getByRole('button', { name: 'Copied answer' })).toBeVisible()
  expect(await copied()).toBe('The capital of France is Paris.')
  await pressButton(page, 'Again')
  expect(await lastAnswer(page)).toBe('The capital of France is Paris.')

  // A new chat, in which answers are short, and begin from another prompt.
  await page.keyboard.press('Alt+n')
  await expect(answers(page)).toHaveCount(0)
  await expect(box).toBeFocused()
  await typeInto(page, page.getByRole('spinbutton', { name: 'Longest answer' }), '3')
  await typeInto(page, box, 'Say hello.')
  await page.keyboard.press('Enter')
  await lastAnswer(page)
  await expect(page.getByText('Limit reached')).toBeVisible()
  const contextUsed = () =>
    answers(page)
      .last()
      .getByText(/^Context \d+ of/)
      .textContent()
  const before = await contextUsed()
  await typeInto(page, page.getByRole('textbox', { name: 'System prompt' }), 'Be kind.')
  await page.keyboard.press('Alt+r')
  await lastAnswer(page)
  expect(await contextUsed()).not.toBe(before)

  // Back and forth between the two.
  await page.keyboard.press('Alt+ArrowDown')
  await expect(page.getByText('The capital of France is Paris.')).toBeVisible()
  await page.keyboard.press('Alt+ArrowUp')
  await expect(page.getByText('The capital of France is Paris.')).toBeHidden()

  // The models: which are here, and the page of all.
  await page.keyboard.press('Alt+m')
  const models = page.getByRole('dialog', { name: 'Models' })
  await expect(models.getByText('In use')).toBeVisible()
  await press(page, models.getByRole('button', { name: 'All models' }))
  await expect(page).toHaveURL(/#models$/)
  await pressButton(page, 'Chat with SmolLM2 135M Instruct')
  await expect(page).toHaveURL(/#chat$/)

  // With a model and answers on the page, none of it is left in English either.
  await page.keyboard.press('Alt+,')
  await chooseDark(page)
  await chooseSpanish(page)
  await page.keyboard.press('Escape')
  await expect(page.getByLabel('Estado del modelo')).toHaveText('En este dispositivo')
  const saidBefore = ['What is the capital of France?', 'The answer is copied.']
  expect((await englishLeft(page)).filter((text) => !saidBefore.includes(text))).toEqual([])
})

/** In the open preferences. */
async function chooseDark(page: Page): Promise<void> {
  await tabTo(page, page.getByRole('radio', { name: 'System' }))
  await page.keyboard.press('ArrowLeft')
  await expect(page.getByRole('radio', { name: 'Dark' })).toBeChecked()
  await expect(page.locator('meta[name=theme-color]').first()).toHaveAttribute('content', '#130f0c')
}

async function chooseSpanish(page: Page): Promise<void> {
  await tabTo(page, page.getByRole('combobox', { name: 'Language' }))
  await page.keyboard.press('ArrowDown')
  await expect(page.locator('html')).toHaveAttribute('lang', 'es')
}

test('sheets open by keys, hold the focus, close with Esc, and give the focus back', async ({ page }) => {
  await page.goto('/')
  const models = page.getByRole('button', { name: /^Models:/ })
  await press(page, models)
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
  await press(page, keys.getByRole('button', { name: 'Close' }))
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

  // Where the browser offers to install the app, a button takes it up, once.
  const install = page.getByRole('button', { name: 'Install', exact: true })
  await expect(install).toHaveCount(0)
  const isLeftToThePage = await page.evaluate(() => {
    const offer = new Event('beforeinstallprompt', { cancelable: true })
    Object.assign(globalThis, { numAsked: 0 })
    Object.assign(offer, { prompt: async () => (globalThis as unknown as { numAsked: number }).numAsked++ })
    return !dispatchEvent(offer)
  })
  expect(isLeftToThePage).toBe(true)
  await press(page, install)
  await expect(install).toHaveCount(0)
  expect(await page.evaluate('numAsked')).toBe(1)
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
  await chooseDark(page)
  expect(await background()).not.toBe(light)

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
