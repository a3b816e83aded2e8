import { expect, test } from '@playwright/test'
import { ask, expectReady, lastAnswer, loadTimeoutMs, openLoadedChat } from './chat-page.ts'

test('another model is looked at, loaded, talked to and left again without a reload', async ({ page }) => {
  test.setTimeout(3 * loadTimeoutMs)
  await openLoadedChat(page)
  await page.evaluate(() => Object.assign(globalThis, { isFirstLoad: true }))

  const parts = page.getByRole('navigation', { name: 'Parts of the page' })
  await parts.getByRole('link', { name: 'Models' }).click()
  await page.getByRole('button', { name: 'About Qwen2.5-Coder 0.5B Instruct' }).click()
  const details = page.getByRole('region', { name: 'About Qwen2.5-Coder 0.5B Instruct' })
  await expect(details).toContainText('491 MB')
  await expect(details).toContainText('Apache-2.0')
  await expect(details).toContainText('up to 32,768 tokens')
  await expect(details).toContainText('system prompt, tools')
  await expect(details).toContainText(/about .* with .* tokens/)

  await details.getByRole('button', { name: 'Download 491 MB' }).click()
  await expect(page.getByRole('progressbar', { name: 'Loading the model' })).toBeVisible()
  await page.getByRole('button', { name: 'Cancel' }).click()
  await page.getByRole('button', { name: /^(Load|Go on loading) Qwen2.5-Coder/ }).click()
  await page.getByRole('button', { name: 'Chat with Qwen2.5-Coder 0.5B Instruct' }).click({
    timeout: loadTimeoutMs,
  })
  await expectReady(page)

  await page.getByLabel('Longest answer').fill('8')
  await ask(page, 'Write hello world in Python.')
  expect(await lastAnswer(page)).not.toBe('')

  // The short list in the header has what is on this device.
  await page.getByRole('button', { name: /^Models: / }).click()
  await page.getByRole('button', { name: 'Use SmolLM2 135M Instruct' }).click()
  await expectReady(page)
  await page.getByRole('button', { name: 'New chat' }).click()
  await page.getByLabel('Longest answer').fill('16')
  await ask(page, 'What is the capital of France?')
  expect(await lastAnswer(page)).toBe('The capital of France is Paris.')
  expect(await page.evaluate(() => 'isFirstLoad' in globalThis)).toBe(true)
})

test('a model with terms names them first, and is not in the build', async ({ page }) => {
  await page.goto('/#models')
  await page.getByRole('button', { name: 'About Gemma 3 270M' }).click()
  const details = page.getByRole('region', { name: 'About Gemma 3 270M' })
  await expect(details.getByRole('link', { name: 'its own terms' })).toHaveAttribute(
    'href',
    'https://ai.google.dev/gemma/terms',
  )
  expect((await page.request.get('/models/gemma-3-270m/manifest.json')).status()).toBe(404)
})
