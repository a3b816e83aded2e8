import { type Browser, type BrowserContext, chromium, expect, type Page, test } from '@playwright/test'
import { chromiumArgs } from '../scripts/chromium.mjs'
import {
  answerGreedily,
  ask,
  expectReady,
  lastAnswer,
  letGpuWin,
  loadTimeoutMs,
  longTask,
  openLoadedChat,
  watchShards,
} from './chat-page.ts'

const question = 'What is the capital of France?'
const answer = 'The capital of France is Paris.'

/** No GPU, and none of the flags that turn WebGPU on without one. */
const withoutGpu = [...chromiumArgs.filter((flag) => !flag.includes('webgpu')), '--disable-gpu']
/** Else Chromium offers the page no adapter after the second crash, and there is no third. */
const withoutCrashLimit = [
  ...chromiumArgs,
  '--disable-gpu-process-crash-limit',
  '--disable-domain-blocking-for-3d-apis',
]

/** The browser of the configuration, started with other flags. */
function launchOptions(args: readonly string[]) {
  const { baseURL, launchOptions } = test.info().project.use
  const { executablePath } = launchOptions ?? {}
  return {
    args: [...args],
    ...(baseURL !== undefined && { baseURL }),
    ...(executablePath !== undefined && { executablePath }),
  }
}

/** A browser that crashes does so for no other test. */
async function inOwnBrowser(
  args: readonly string[],
  what: (page: Page, browser: Browser) => Promise<void>,
): Promise<void> {
  const { baseURL, ...options } = launchOptions(args)
  const browser = await chromium.launch(options)
  try {
    await what(await browser.newPage({ ...(baseURL !== undefined && { baseURL }) }), browser)
  } finally {
    await browser.close()
  }
}

const runningOn = (page: Page) => page.getByRole('region', { name: 'Running on' })
const answerText = (page: Page) => page.locator('[data-role=answer]').last()
const lossAlert = (page: Page) => page.locator('[role=alert][data-code=device_lost]')

async function crashGpu(browser: Browser): Promise<void> {
  const session = await browser.newBrowserCDPSession()
  // The answer to this call may never come: the process that would give it is gone.
  session.send('Browser.crashGpuProcess').catch(() => undefined)
}

/** Crashes the GPU in mid-answer, and asks the page to go on as it offers. */
async function crashAndReload(browser: Browser, page: Page): Promise<void> {
  await expect(answerText(page)).toContainText(/\w+ \w+/, { timeout: loadTimeoutMs })
  await crashGpu(browser)
  await expect(lossAlert(page)).toBeVisible({ timeout: 30_000 })
  await page.getByRole('button', { name: 'Reload model' }).click()
  await expect(lossAlert(page)).toHaveCount(0)
}

test('without WebGPU the chat answers from the shards that an earlier visit with WebGPU kept', async () => {
  test.setTimeout(3 * loadTimeoutMs)
  const profile = test.info().outputPath('profile')

  async function visit(
    args: readonly string[],
    what: (page: Page, context: BrowserContext) => Promise<void>,
  ) {
    const context = await chromium.launchPersistentContext(profile, launchOptions(args))
    try {
      await what(context.pages()[0] ?? (await context.newPage()), context)
    } finally {
      await context.close()
    }
  }

  await visit(chromiumArgs, async (page, context) => {
    const shards = watchShards(context)
    await openLoadedChat(page, 'auto')
    expect(shards.length).toBeGreaterThan(0)
    await letGpuWin(page)
    await expect(runningOn(page)).toContainText('WebGPU on ')
  })

  await visit(withoutGpu, async (page, context) => {
    const shards = watchShards(context)
    await answerGreedily(page)
    await page.goto('/')
    await expectReady(page)
    await ask(page, question)
    expect(await lastAnswer(page)).toBe(answer)
    expect(shards).toEqual([])
    await expect(runningOn(page)).toContainText('WebAssembly on ')
    await expect(runningOn(page)).toContainText(/WebGPU could not be used: This browser has/)
  })
})

test('an answer that the third loss of the GPU within a minute cuts goes on in the fallback', async () => {
  test.setTimeout(3 * loadTimeoutMs)
  await inOwnBrowser(withoutCrashLimit, async (page, browser) => {
    await openLoadedChat(page, 'auto')
    await letGpuWin(page)
    const shards = watchShards(page.context())
    await ask(page, longTask)
    await crashAndReload(browser, page)
    await crashAndReload(browser, page)

    await expect(answerText(page)).toContainText(/\w+ \w+/, { timeout: loadTimeoutMs })
    const before = (await answerText(page).textContent())!.trim()
    await crashGpu(browser)
    const changed = page.locator('[data-code=backend_changed]')
    await expect(changed).toContainText(/three times within a minute/, { timeout: loadTimeoutMs })
    await expect(runningOn(page)).toContainText('WebAssembly on ')
    await expect
      .poll(async () => (await answerText(page).textContent())!.length)
      .toBeGreaterThan(before.length + 40)
    expect((await answerText(page).textContent())!.startsWith(before)).toBe(true)
    await expect(page.getByRole('alert')).toHaveCount(0)
    expect(shards).toEqual([])

    await page.getByRole('button', { name: 'Stop' }).click()
    await lastAnswer(page)
    await page.getByRole('button', { name: 'New chat' }).click()
    await ask(page, question)
    expect(await lastAnswer(page)).toBe(answer)
  })
})

test('a browser that offers no adapter after two crashes leaves the chat to the fallback', async () => {
  test.setTimeout(3 * loadTimeoutMs)
  await inOwnBrowser(chromiumArgs, async (page, browser) => {
    await openLoadedChat(page, 'auto')
    await letGpuWin(page)
    await ask(page, longTask)
    await crashAndReload(browser, page)
    await crashAndReload(browser, page)
    await crashGpu(browser)
    await expect(page.locator('[data-code=backend_changed]')).toBeVisible({ timeout: loadTimeoutMs })
    await expect(runningOn(page)).toContainText('WebAssembly on ')
    await expect(answerText(page)).toContainText(/\w+ \w+/, { timeout: loadTimeoutMs })
    await page.getByRole('button', { name: 'Stop' }).click()
    await page.getByRole('button', { name: 'New chat' }).click()
    await ask(page, question)
    expect(await lastAnswer(page)).toBe(answer)
  })
})

test('a person moves a chat to the CPU and back, and no weights are fetched for it', async ({ page }) => {
  test.setTimeout(3 * loadTimeoutMs)
  await openLoadedChat(page)
  const shards = watchShards(page.context())
  const choice = page.getByLabel('Run on')
  await choice.selectOption('ort')
  await expect(runningOn(page)).toContainText('ONNX Runtime on ', { timeout: loadTimeoutMs })
  await ask(page, question)
  expect(await lastAnswer(page)).toBe(answer)

  await page.reload()
  await expectReady(page)
  await expect(choice).toHaveValue('ort')
  await expect(runningOn(page)).toContainText('ONNX Runtime on ')
  await choice.selectOption('wasm')
  await expect(runningOn(page)).toContainText('WebAssembly on ', { timeout: loadTimeoutMs })
  await choice.selectOption('webgpu')
  await expect(runningOn(page)).toContainText('WebGPU on ', { timeout: loadTimeoutMs })
  expect(shards).toEqual([])
})
