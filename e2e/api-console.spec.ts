import { expect, type Locator, type Page, test } from '@playwright/test'
import { formatBytes } from '../packages/demo/src/format/units.ts'
import { loadTimeoutMs, openLoadedChat } from './chat-page.ts'

const response = (page: Page) => page.getByRole('region', { name: 'Response', exact: true })
const bodyOf = (page: Page) => response(page).locator('pre')

/** Goes there as a person without a pointer does. */
async function tabTo(page: Page, wanted: Locator): Promise<void> {
  for (let presses = 0; presses < 80; presses++) {
    if (await wanted.evaluate((element) => element === document.activeElement)) return
    await page.keyboard.press('Tab')
  }
  throw new Error('Tab never came there.')
}

async function pressButton(page: Page, name: string): Promise<void> {
  await tabTo(page, page.getByRole('button', { name, exact: true }))
  await page.keyboard.press('Enter')
}

/** Types another body over the one that is there, and sends it. */
async function sendBody(page: Page, body: string): Promise<void> {
  await tabTo(page, page.getByRole('textbox', { name: 'Body' }))
  await page.keyboard.press('Control+a')
  await page.keyboard.type(body)
  await page.keyboard.press('Control+Enter')
}

const isSideways = (page: Page) =>
  page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth)

test('the console asks the API with the keyboard alone, and the panel tells the truth', async ({
  page,
  context,
}) => {
  test.setTimeout(2 * loadTimeoutMs)
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await openLoadedChat(page, 'wasm')

  await test.step('a chat request', async () => {
    await page.getByRole('link', { name: 'API', exact: true }).press('Enter')
    await tabTo(page, page.getByRole('textbox', { name: 'Body' }))
    await page.keyboard.press('Control+Enter')
    await expect(response(page).getByText(/^200/)).toBeVisible()
    await expect(bodyOf(page)).toContainText('"content": "The capital of France is Paris."')
    await expect(response(page).getByText(/^x-request-id req_/)).toBeVisible()
  })

  await test.step('what the page says of the way is so', async () => {
    const isControlled = await page.evaluate(() => Boolean(navigator.serviceWorker?.controller))
    const way = isControlled ? 'through the service worker' : 'by engine.fetch'
    await expect(async () => {
      await tabTo(page, page.getByRole('textbox', { name: 'Body' }))
      await page.keyboard.press('Control+Enter')
      await expect(response(page).getByText(way)).toBeVisible({ timeout: 10_000 })
    }).toPass({ timeout: 90_000 })
  })

  await test.step('a stream grows, and Esc stops it', async () => {
    await pressButton(page, 'Stream')
    await pressButton(page, 'Send')
    await expect(bodyOf(page)).toHaveText(/\w+ \w+ \w+/)
    await page.keyboard.press('Escape')
    await expect(response(page).getByText('Stopped. What had come stays.')).toBeVisible()
    await expect(bodyOf(page)).toHaveText(/\w+ \w+ \w+/)
    await expect(page.getByRole('button', { name: 'Send', exact: true })).toBeVisible()
  })

  await test.step('an error is shown as the API tells it', async () => {
    await sendBody(page, '{"messages": [], "suffix": 1}')
    await expect(response(page).getByText(/^400/)).toBeVisible()
    await expect(bodyOf(page)).toContainText('"type": "invalid_request_error"')
  })

  await test.step('tools, a schema and tokens', async () => {
    await pressButton(page, 'Tools')
    await pressButton(page, 'Send')
    await expect(bodyOf(page)).toContainText('"name": "weather"')
    await pressButton(page, 'JSON schema')
    await pressButton(page, 'Send')
    await expect(bodyOf(page)).toContainText(/"content": "\{.*hex.*#[0-9a-f]{6}/)
    await pressButton(page, 'Tokenize')
    await pressButton(page, 'Send')
    await expect(bodyOf(page)).toContainText('"tokens": [')
  })

  let metrics = ''
  await test.step('the code and the metrics', async () => {
    await expect(page.getByText(/^curl .*\/tokenize/)).toBeVisible()
    await page.getByLabel('Endpoint').selectOption('GET /metrics')
    await pressButton(page, 'Send')
    await expect(bodyOf(page)).toContainText('brasa_weight_bytes')
    metrics = (await bodyOf(page).textContent())!
    const answered = /brasa_generation_tokens_total (\d+)/.exec(metrics)![1]!
    const figures = page.getByRole('region', { name: 'Metrics' })
    await expect(figures).toContainText(`Answer tokens${Number(answered).toLocaleString('en')}`)
    await page.setViewportSize({ width: 360, height: 740 })
    expect(await isSideways(page)).toBe(false)
    await page.setViewportSize({ width: 1280, height: 800 })
  })

  await test.step('the panel has the figures that the engine and the browser tell', async () => {
    await page.getByRole('link', { name: 'Chat', exact: true }).press('Enter')
    const row = (label: string) =>
      page.locator('.panel dt', { hasText: label }).locator('xpath=following-sibling::dd[1]').first()
    const numCores = await page.evaluate(() => navigator.hardwareConcurrency)
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true)
    const running = page.getByRole('region', { name: 'Running on' })
    // How many was measured.
    const threadsOf = /WebAssembly on the CPU, (one|\d+) threads?/
    await expect(running).toContainText(threadsOf)
    const [, threads = ''] = threadsOf.exec((await running.textContent()) ?? '') ?? []
    const numThreads = threads === 'one' ? 1 : Number(threads)
    expect(numThreads).toBeLessThanOrEqual(Math.min(numCores, 8))
    for (const name of ['Memory', 'Storage']) {
      await tabTo(page, page.locator('summary', { hasText: name }))
      await page.keyboard.press('Enter')
    }
    const told = (name: string) => Number(new RegExp(`^${name} (\\d+)`, 'm').exec(metrics)![1])
    await expect(row('Weights')).toHaveText(formatBytes(told('brasa_weight_bytes')))
    await expect(row('KV cache')).toHaveText(formatBytes(told('brasa_kv_cache_bytes')))
    await expect(row('Persistent')).toHaveText(/^(yes|no, the browser may clear it)$/)
    await pressButton(page, 'Copy as text')
    await expect(page.getByText('Copied', { exact: true })).toBeVisible()
    const report = await page.evaluate(() => navigator.clipboard.readText())
    expect(report).toContain(`Threads: ${numThreads} of ${numCores} cores`)
    expect(report).toContain('Cross-origin isolated: yes')
    expect(report).not.toContain('capital')
  })
})

test('the benchmark draws its chart where no inline style is allowed, and leads back to the chat', async ({
  page,
}) => {
  test.setTimeout(loadTimeoutMs)
  const policy =
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; img-src 'self' data:"
  await page.route('**/bench.html', async (route) => {
    const answer = await route.fetch()
    await route.fulfill({
      response: answer,
      headers: { ...answer.headers(), 'content-security-policy': policy },
    })
  })
  await page.addInitScript(() => {
    const violations: string[] = []
    Object.assign(globalThis, { violations })
    document.addEventListener('securitypolicyviolation', (event) =>
      violations.push(`${event.violatedDirective} ${event.blockedURI}`),
    )
  })
  await page.setViewportSize({ width: 360, height: 740 })
  await page.goto('/bench.html')
  await page.getByLabel('WebGPU').uncheck()
  await page.getByLabel('CPU (WebAssembly)').check()
  for (const name of ['Prefill, 128 tokens', 'First token of 32', 'Load from storage']) {
    await page.getByLabel(name).uncheck()
  }
  await page.getByRole('button', { name: 'Run', exact: true }).click()
  const canvas = page.locator('.bench-live canvas')
  await expect(canvas).toBeVisible({ timeout: loadTimeoutMs })
  // Without its style sheet and its styles the canvas would have no place of its own.
  await expect.poll(() => canvas.evaluate((element) => element.clientWidth)).toBeGreaterThan(200)
  await expect(page.getByRole('row', { name: /Decode, 64 tokens .*tokens\/s/ })).toBeVisible({
    timeout: loadTimeoutMs,
  })
  expect(await isSideways(page)).toBe(false)
  expect(await page.evaluate('violations')).toEqual([])
  expect(await page.evaluate('typeof brasa.createEngine')).toBe('function')
  await page.getByRole('button', { name: /^Menu/ }).click()
  await page.getByRole('link', { name: 'Chat', exact: true }).click()
  await expect(page.getByLabel('Message')).toBeVisible()
})
