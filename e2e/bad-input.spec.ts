import { chromium, expect, type Page, test } from '@playwright/test'
import { ask, expectReady, lastAnswer, loadTimeoutMs, longTask, openLoadedChat } from './chat-page.ts'
import { pressButton } from './keys.ts'

test('a WebGPU that was asked for and is not there is said, how to turn it on, and a key runs on the CPU', async ({
  baseURL,
}, { project }) => {
  const { executablePath } = project.use.launchOptions ?? {}
  const browser = await chromium.launch({
    args: ['--no-sandbox', '--disable-features=WebGPU', '--disable-gpu'],
    ...(executablePath !== undefined && { executablePath }),
  })
  try {
    const page = await browser.newPage({ ...(baseURL !== undefined && { baseURL }) })
    await page.addInitScript(() => localStorage.setItem('brasa.backend', '"webgpu"'))
    await page.goto('/')
    await page.getByRole('button', { name: 'Load model' }).click()
    const alert = page.locator('[role=alert][data-code=webgpu_unavailable]')
    await expect(alert).toContainText(/WebGPU/)
    await pressButton(page, 'Run on the CPU')
    await expectReady(page)
  } finally {
    await browser.close()
  }
})

/** The error that loading a file of these bytes ends with. */
function loadFailure(page: Page, content: 'text' | 'first shard') {
  return page.evaluate(async (content) => {
    const { brasa } = globalThis as unknown as { brasa: typeof import('@brasa/runtime') }
    const bytes =
      content === 'text'
        ? new TextEncoder().encode('<!doctype html><title>Not a model</title>'.repeat(100))
        : await (await fetch('models/smollm2-135m-instruct/00000.bin')).arrayBuffer()
    try {
      await brasa.createEngine({ model: new File([bytes], 'given.gguf') })
      return 'loaded'
    } catch (error) {
      return brasa.isBrasaError(error) ? error.code : `untyped: ${error}`
    }
  }, content)
}

test('files that are no whole model are refused by what is wrong with them', async ({ page }) => {
  await page.goto('/bench.html')
  expect(await loadFailure(page, 'text')).toBe('not_a_gguf')
  expect(await loadFailure(page, 'first shard')).toBe('truncated_model')
})

test('a model that is not there, and one that nobody knows, have their own errors', async ({ page }) => {
  await page.goto('/bench.html')
  const failureOf = (model: string) =>
    page.evaluate(async (model) => {
      const { brasa } = globalThis as unknown as { brasa: typeof import('@brasa/runtime') }
      try {
        await brasa.createEngine({ model })
        return { code: 'loaded', message: '' }
      } catch (error) {
        if (!brasa.isBrasaError(error)) throw error
        return { code: error.code, message: error.message }
      }
    }, model)
  expect((await failureOf('models/nothing/manifest.json')).code).toBe('http_error')
  const unknown = await failureOf('no-such-model')
  expect(unknown.code).toBe('unknown_model')
  expect(unknown.message).toContain('smollm2-135m-instruct')
})

test('a worker killed in mid-answer is said so, and the page goes on', async ({ page }) => {
  test.setTimeout(2 * loadTimeoutMs)
  await openLoadedChat(page)
  await ask(page, longTask)
  await expect(page.locator('[data-role=answer]').last()).not.toBeEmpty()
  for (const worker of page.workers()) await worker.evaluate(() => close()).catch(() => undefined)
  await expect(page.locator('[role=alert][data-code=worker_lost]')).toBeVisible({ timeout: 30_000 })

  await page.getByRole('button', { name: 'Reload model' }).click()
  await expect(page.locator('[data-role=answer]').last()).toContainText(/\w/, { timeout: loadTimeoutMs })
  await page.getByRole('button', { name: 'Stop' }).click()
  await lastAnswer(page)
  await page.getByRole('button', { name: 'New chat' }).click()
  await ask(page, 'What is the capital of France?')
  expect(await lastAnswer(page)).toBe('The capital of France is Paris.')
})

test('a GPU that crashes in mid-answer is said so, and the page goes on', async ({ page, browser }) => {
  test.setTimeout(2 * loadTimeoutMs)
  await openLoadedChat(page)
  await ask(page, longTask)
  await expect(page.locator('[data-role=answer]').last()).not.toBeEmpty()
  const session = await browser.newBrowserCDPSession()
  // The answer to this call never comes: the process that would give it is gone.
  session.send('Browser.crashGpuProcess').catch(() => undefined)
  await expect(page.locator('[role=alert][data-code=device_lost]')).toBeVisible({ timeout: 30_000 })

  await page.getByRole('button', { name: 'New chat' }).click()
  await ask(page, 'What is the capital of France?')
  expect(await lastAnswer(page)).toBe('The capital of France is Paris.')
})
