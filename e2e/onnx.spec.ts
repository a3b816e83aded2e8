import { expect, type Page, test } from '@playwright/test'
import { loadTimeoutMs, watchShards } from './chat-page.ts'

const sentences = [
  'Bread rises because yeast turns sugar into gas.',
  'Paris is where the French government sits.',
  'Tokyo is a large city in Japan.',
  'The tides follow the Moon.',
]

/** The search's results, nearest first, once there are any. */
function results(page: Page) {
  return page.getByRole('list', { name: 'Results' }).getByRole('listitem')
}

test('a pasted text is searched by meaning, and after a reload without fetching the model again', async ({
  page,
}) => {
  test.setTimeout(2 * loadTimeoutMs)
  const shards = watchShards(page.context())
  await page.goto('/')
  await page.getByRole('link', { name: 'ONNX' }).click()
  await page.getByLabel('Text to search').fill(sentences.join('\n'))
  expect(shards).toEqual([])
  await page.getByRole('button', { name: 'Load search model' }).click()
  await page.getByLabel('What to look for').fill('capital of France')
  await expect(results(page)).toHaveCount(sentences.length, { timeout: loadTimeoutMs })
  await expect(results(page).first()).toContainText('Paris')

  await page.getByLabel('What to look for').fill('why does the sea go up and down')
  await expect(results(page).first()).toContainText('tides')

  const fetchedBefore = shards.length
  expect(fetchedBefore).toBeGreaterThan(0)
  await page.reload()
  await page.getByLabel('Text to search').fill(sentences.join('\n'))
  await page.getByLabel('What to look for').fill('capital of France')
  await page.getByRole('button', { name: 'Search', exact: true }).click()
  await expect(results(page).first()).toContainText('Paris', { timeout: loadTimeoutMs })
  expect(shards.length).toBe(fetchedBefore)
})

test('an ONNX model shows what it takes, says what does not fit, and runs', async ({ page }) => {
  await page.goto('/#onnx')
  await page.getByLabel('Address of an ONNX model').fill('all-minilm-l6-v2')
  await page.getByRole('button', { name: 'Load', exact: true }).click()
  const run = page.getByRole('button', { name: 'Run', exact: true })
  await expect(run).toBeVisible({ timeout: loadTimeoutMs })
  await expect(page.getByText('input_ids').first()).toBeVisible()
  await expect(page.getByText(/^int64 \[/).first()).toBeVisible()

  await page.getByLabel('Fill input_ids with').selectOption('typed')
  await page.getByLabel('Values of input_ids').fill('101, 7592')
  await run.click()
  await expect(page.getByRole('alert')).toContainText(
    '"input_ids" takes 8 values, or one for all; 2 are typed.',
  )

  await page.getByLabel('Values of input_ids').fill('101, 7592, 102, 0, 0, 0, 0, 0')
  await run.click()
  await expect(page.getByText(/^Took [\d.]+ m?s$/)).toBeVisible({ timeout: loadTimeoutMs })
  await expect(page.getByText('float32 [1, 8, 384]')).toBeVisible()
})

test('a file that is no ONNX model is refused in a sentence', async ({ page }) => {
  await page.goto('/#onnx')
  await page
    .getByLabel('Open an .onnx file')
    .setInputFiles({ name: 'page.onnx', mimeType: '', buffer: Buffer.from('<!doctype html>') })
  await expect(page.locator('[role=alert][data-code=not_an_onnx]')).toContainText('page.onnx')
  await expect(page.getByRole('button', { name: 'Try again' })).toBeVisible()
})

test('what the chat loads first has neither the ONNX part nor ONNX Runtime in it', async ({ page }) => {
  const scripts: string[] = []
  page.on('request', (request) => {
    if (/\.(m?js|wasm)$/.test(request.url())) scripts.push(request.url())
  })
  await page.goto('/')
  await page.waitForLoadState('networkidle')
  expect(scripts.filter((url) => /onnx|ort-/.test(url))).toEqual([])
  await page.getByRole('link', { name: 'ONNX' }).click()
  await expect(page.getByRole('heading', { name: 'Run a model' })).toBeVisible()
  expect(scripts.filter((url) => /onnx-page/.test(url))).toHaveLength(1)
})
