import { expect, test } from '@playwright/test'
import { isControlled, loadTimeoutMs, openLoadedChat } from './chat-page.ts'
import { chooseOption, pressButton, tabTo } from './keys.ts'

test.use({ serviceWorkers: 'allow' })

test('without a pointer: an endpoint is chosen, the service worker answers it, and the code for it is read', async ({
  page,
  baseURL,
}) => {
  test.setTimeout(2 * loadTimeoutMs)
  await openLoadedChat(page, 'wasm')
  await isControlled(page)
  await page.keyboard.press('Alt+5')
  await expect(page.getByText(/^Goes through this page’s service worker/)).toBeVisible()

  const endpoint = page.getByLabel('Endpoint')
  await chooseOption(page, endpoint, 'POST /v1/completions')
  await expect(page.getByLabel('Address')).toHaveValue('/v1/completions')
  const answered = page.waitForResponse(`${baseURL}/v1/completions`)
  await pressButton(page, 'Send')
  expect((await answered).fromServiceWorker()).toBe(true)
  const response = page.getByRole('region', { name: 'Response', exact: true })
  await expect(response.getByText(/^200/)).toBeVisible()
  await expect(response.getByText('through the service worker')).toBeVisible()
  await expect(response.locator('pre')).toContainText('"object": "text_completion"')

  // In each of the three tabs, by arrows.
  const code = page.getByRole('region', { name: 'code', exact: true })
  await expect(code).toContainText(`curl '${baseURL}/v1/completions' \\`)
  await expect(code).toContainText('Once upon a time')
  await tabTo(page, page.getByRole('tab', { name: 'curl' }))
  await page.keyboard.press('ArrowRight')
  await expect(code).toContainText(`baseURL: '${baseURL}/v1'`)
  await expect(code).toContainText('await openai.completions.create(')
  await page.keyboard.press('ArrowRight')
  await expect(code).toContainText(`await fetch('${baseURL}/v1/completions'`)

  // What is not below /v1 is asked of the engine, and said so.
  await chooseOption(page, endpoint, 'GET /metrics')
  await expect(page.getByText(/^The service worker answers what is below \/v1/)).toBeVisible()
  await pressButton(page, 'Send')
  await expect(response.getByText('by engine.fetch')).toBeVisible()
  await expect(code).toContainText(`await engine.fetch('`)
})
