import { expect, type Locator, type Page, test } from '@playwright/test'
import { ask, expectReady, lastAnswer, loadTimeoutMs, longTask, openLoadedChat } from './chat-page.ts'

const answers = (page: Page) => page.getByRole('article', { name: 'Answer' })
const message = (page: Page) => page.getByLabel('Message')

/** By keys alone: from where the focus is to a control. */
async function tabTo(page: Page, wanted: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  for (let step = 0; step < 25; step++) {
    if (await wanted.evaluate((element) => element === document.activeElement)) return
    await page.keyboard.press(key)
  }
  await expect(wanted).toBeFocused()
}

/** Opens what the next answer is given by, from the box, and closes it again. */
async function choose(page: Page, choices: () => Promise<void>): Promise<void> {
  await message(page).focus()
  await tabTo(page, page.getByRole('button', { name: 'How to answer' }), 'Shift+Tab')
  await page.keyboard.press('Enter')
  await expect(
    page.getByRole('dialog', { name: 'How to answer' }).getByLabel('Text', { exact: true }),
  ).toBeVisible()
  await choices()
  await page.keyboard.press('Escape')
  await expect(page.getByRole('dialog')).toHaveCount(0)
}

/** One of a group of radio buttons: Tab comes to the chosen one, and arrows choose another. */
async function arrowTo(page: Page, from: string, to: string): Promise<void> {
  await tabTo(page, page.getByLabel(from, { exact: true }))
  for (let step = 0; step < 3 && !(await page.getByLabel(to, { exact: true }).isChecked()); step++)
    await page.keyboard.press('ArrowDown')
  await expect(page.getByLabel(to, { exact: true })).toBeChecked()
}

test('by keys alone: tools, JSON by a schema, token probabilities, and Stop', async ({ page }) => {
  test.setTimeout(2 * loadTimeoutMs)
  await openLoadedChat(page, 'wasm')

  await test.step('a tool that the model calls runs in the page', async () => {
    await choose(page, async () => {
      await arrowTo(page, 'Text', 'Text, and tools that run in this page')
      await tabTo(page, page.getByRole('checkbox', { name: /^Clock/ }))
      await page.keyboard.press('Space')
      await arrowTo(page, 'The model decides', 'It must call one first')
    })
    await expect(page.getByRole('button', { name: 'Calculator (must call)' })).toBeVisible()
    await ask(page, 'What is 17 * 23?')
    await lastAnswer(page)
    const call = page.getByRole('region', { name: 'Call of calculator' })
    await expect(call.getByText('17 * 23')).toBeVisible()
    await expect(call.getByText('391', { exact: true })).toBeVisible()
    await expect(
      answers(page)
        .last()
        .getByText(/tokens\/s/),
    ).toBeVisible()
    await expect(
      answers(page)
        .last()
        .getByText(/^Context \d+ of 8,192$/),
    ).toBeVisible()
  })

  await test.step('a reload shows the call, and the next answer goes on from it', async () => {
    await page.reload()
    await expectReady(page)
    await expect(page.getByRole('region', { name: 'Call of calculator' })).toHaveCount(1)
    await ask(page, 'Thank you.')
    await lastAnswer(page)
    await expect(answers(page)).toHaveCount(2)
    await expect(answers(page).last().getByRole('alert')).toHaveCount(0)
  })

  await test.step('an answer is JSON that keeps to the schema', async () => {
    await choose(page, async () => {
      await arrowTo(page, 'Text, and tools that run in this page', 'JSON')
      await tabTo(page, page.getByLabel('JSON schema'))
      await page.keyboard.insertText('{"type": "object", "properties": {"city": {"type": "string"}')
      await expect(page.getByText('Line 1, column 61: the text ends too early.')).toBeVisible()
      await page.keyboard.insertText(
        ', "is_capital": {"type": "boolean"}}, "required": ["city", "is_capital"]}',
      )
      await expect(page.getByText('The answer keeps to this schema.')).toBeVisible()
    })
    await ask(page, 'Is Paris a capital?')
    await lastAnswer(page)
    const json = JSON.parse((await answers(page).last().locator('code').textContent())!)
    expect(json).toEqual({ city: expect.any(String), is_capital: expect.any(Boolean) })
    await expect(answers(page).last().locator('.hljs-attr').first()).toHaveText('"city"')
  })

  await test.step('a keyword that is not supported is refused in the words of the runtime', async () => {
    await choose(page, async () => {
      await tabTo(page, page.getByLabel('JSON schema'))
      await page.keyboard.press('ControlOrMeta+A')
      await page.keyboard.insertText('{"type": "object", "patternProperties": {}}')
    })
    await ask(page, 'Anything')
    await lastAnswer(page)
    await expect(page.getByRole('alert')).toContainText(
      'has the keyword "patternProperties", which is not supported',
    )
    await tabTo(page, page.getByRole('button', { name: 'Change the schema' }), 'Shift+Tab')
    await page.keyboard.press('Enter')
    await expect(page.getByLabel('JSON schema')).toBeVisible()
    await page.keyboard.press('Escape')
  })

  await test.step('an answer is read token by token, also after a reload', async () => {
    await choose(page, async () => {
      await arrowTo(page, 'JSON', 'Text')
      await tabTo(page, page.getByRole('checkbox', { name: /^Keep token probabilities/ }))
      await page.keyboard.press('Space')
    })
    await page.getByRole('button', { name: 'New chat' }).press('Enter')
    await ask(page, 'What is the capital of France?')
    expect(await lastAnswer(page)).toBe('The capital of France is Paris.')
    await page.reload()
    await expectReady(page)
    await readTokens(page)
  })

  await test.step('Stop ends an answer where it is', async () => {
    await ask(page, longTask)
    await expect(page.locator('[data-role=answer]').last()).not.toBeEmpty()
    await page.keyboard.press('Escape')
    await lastAnswer(page)
    await expect(answers(page).last().getByText('Stopped')).toBeVisible()
  })
})

/** The probabilities of "The capital of France is Paris.", by keys. */
async function readTokens(page: Page): Promise<void> {
  await message(page).focus()
  const toggle = page.getByRole('button', { name: 'Probabilities', exact: true })
  await tabTo(page, toggle, 'Shift+Tab')
  await page.keyboard.press('Enter')
  const first = page.getByRole('listbox').getByRole('option').first()
  await tabTo(page, first, 'Shift+Tab')
  for (let step = 0; step < 5; step++) await page.keyboard.press('ArrowRight')
  const paris = page.getByRole('option', { name: /Paris/ })
  await expect(paris).toBeFocused()
  const card = page.getByRole('tooltip')
  await expect(card.getByRole('row')).toHaveCount(5)
  await expect(card.getByRole('row', { name: /Paris chosen/ })).toContainText(/\d+ %/)
  await page.keyboard.press('Escape')
  await expect(card).toBeHidden()
  await toggle.press('Enter')
}

test('WebGPU tells probabilities too', async ({ page }) => {
  test.setTimeout(2 * loadTimeoutMs)
  await page.addInitScript(() => {
    localStorage.setItem('brasa.answers', JSON.stringify({ keepProbabilities: true }))
  })
  await openLoadedChat(page, 'webgpu')
  await ask(page, 'What is the capital of France?')
  expect(await lastAnswer(page)).toBe('The capital of France is Paris.')
  await readTokens(page)
})
