import { expect, type Page, test } from '@playwright/test'
import { expectNoFaults, moving, seriousProblems, tooSmall, tooWide } from './axe.ts'
import { ask, goTo, loadTimeoutMs, longTask, openLoadedChat } from './chat-page.ts'

// One model, and on a phone every page with what it said or measured.

test.use({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true })

/** What is on the page stays there, in another language. */
async function speak(page: Page, language: 'en' | 'es'): Promise<void> {
  await page.keyboard.press('Alt+,')
  await page.getByRole('dialog').getByRole('combobox').selectOption(language)
  await expect(page.locator('html')).toHaveAttribute('lang', language)
  await page.keyboard.press('Escape')
  await expect(page.getByRole('dialog')).toHaveCount(0)
}

test('with results on every page axe finds nothing serious, nothing is too wide, too small or moves by itself', async ({
  page,
}) => {
  test.setTimeout(2 * loadTimeoutMs)
  const faults = expectNoFaults()
  const check = async (state: string) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      faults.add(`${state}, ${colorScheme}`, await seriousProblems(page))
    }
    await speak(page, 'es')
    faults.add(`${state}, es`, [...(await seriousProblems(page)), ...(await tooWide(page))])
    await speak(page, 'en')
    faults.add(state, [...(await tooWide(page)), ...(await tooSmall(page)), ...(await moving(page))])
  }
  await page.emulateMedia({ reducedMotion: 'reduce' })
  await openLoadedChat(page, 'wasm')
  await check('a chat that is to begin')

  await test.step('an answer that is being written', async () => {
    await ask(page, longTask)
    await expect(page.locator('[data-role=answer]')).not.toBeEmpty()
    // A quick machine is soon done with it: one look. An answer without end is looked at in a11y-states.spec.ts.
    faults.add('streaming', [
      ...(await seriousProblems(page)),
      ...(await tooWide(page)),
      ...(await moving(page)),
    ])
    await expect(page.locator('.answer')).toHaveAttribute('aria-busy', 'true')
    await page.getByRole('button', { name: 'Stop' }).click()
    await expect(page.getByText('Stopped')).toBeVisible()
    await page.getByRole('button', { name: 'Machine and settings' }).click()
    for (const fold of await page.locator('.panel summary').all()) await fold.click()
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      faults.add(`the panel, ${colorScheme}`, await seriousProblems(page))
    }
    faults.add('the panel', [...(await tooWide(page)), ...(await tooSmall(page))])
    await page.keyboard.press('Escape')
  })

  await test.step('API', async () => {
    await goTo(page, 'api')
    const send = page.getByRole('button', { name: 'Send', exact: true })
    await send.click()
    await expect(page.locator('.api-status')).toContainText('200')
    await expect(send).toBeVisible()
    await page.locator('.api-headers summary').click()
    await check('an API response')
    await page.getByRole('button', { name: 'Stream', exact: true }).click()
    await send.click()
    await page.getByRole('radio', { name: 'Events' }).check()
    await expect(page.locator('.api-stream-head')).toContainText(/[1-9]\d* events/)
    await check('an API stream')
    await page.keyboard.press('Escape')
    await page.getByRole('textbox', { name: 'Body' }).fill('{"messages": ')
    await expect(page.getByText('This is not JSON.')).toBeVisible()
    await send.click()
    await expect(page.locator('.api-status')).toContainText('400')
    await check('an API error')
  })

  await test.step('comparison', async () => {
    await goTo(page, 'compare')
    const pane = page.getByRole('region', { name: 'Model A' })
    await pane.getByLabel('Runs on').selectOption('wasm')
    await page.getByLabel('Prompt for both').fill('What is the capital of France?')
    await page.getByRole('button', { name: 'Ask both' }).click()
    for (const letter of ['A', 'B']) {
      await expect(
        page.getByRole('region', { name: `Model ${letter}` }).getByRole('article'),
      ).toHaveAttribute('data-state', 'done', { timeout: loadTimeoutMs })
    }
    await check('a comparison')
  })

  await test.step('a search by meaning', async () => {
    await goTo(page, 'onnx')
    await page.getByRole('button', { name: 'Use an example' }).click()
    await page.getByRole('button', { name: 'Load search model' }).click()
    await page.getByLabel('What to look for').fill('capital of France')
    await expect(page.getByRole('list', { name: 'Results' })).toBeVisible({ timeout: loadTimeoutMs })
    await check('a search by meaning')
  })

  await test.step('benchmark', async () => {
    await page.goto('/bench.html')
    const others = ['WebGPU', 'Prefill, 128 tokens', 'Decode, 64 tokens', 'First token of 32']
    for (const name of [...others, 'Load from storage']) await page.getByLabel(name).uncheck()
    // The slower of the two on the CPU: it is to run as long as it is looked at.
    for (const name of ['CPU (ONNX Runtime)', 'Decode, 128 tokens']) await page.getByLabel(name).check()
    await page.getByRole('button', { name: 'Run', exact: true }).click()
    await expect(page.locator('.bench-live canvas')).toBeVisible({ timeout: loadTimeoutMs })
    await check('a benchmark that runs')
    await expect(page.getByRole('progressbar')).toBeVisible()
    await expect(page.getByRole('button', { name: 'Download JSON' })).toBeVisible({ timeout: loadTimeoutMs })
    await check('a benchmark with results')
  })
  faults.end()
})
