// @ts-check
import { copyFile, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { chromiumArgs, findOrInstallChromium } from './chromium.mjs'
import { root, runAsScript, ScriptError } from './command-line.mjs'
import { fetchModel } from './fetch-model.mjs'
import { ensureBuilt, ensureInstalled } from './setup.mjs'

/** @typedef {import('playwright').Page} Page */

const sizes = {
  desktop: { width: 1280, height: 800 },
  phone: { width: 360, height: 740 },
}
const themes = /** @type {const} */ (['light', 'dark'])
const timeout = 240_000
/** All pictures together: they are fetched with the repository. */
const maxBytes = 3_000_000

const questions = [
  'What is the capital of France?',
  'Write a Python function that reverses a list, and explain it in a numbered list.',
]

/** @type {readonly { name: string, open: (page: Page) => Promise<unknown>, show?: (page: Page) => Promise<unknown> }[]} */
const pictures = [
  { name: 'chat', open: openChat },
  {
    name: 'heat',
    open: async (page) => {
      await openChat(page)
      await page.getByRole('button', { name: 'Probabilities' }).last().click()
      await page.locator('.heat .token:not(.heat-0)').first().click()
    },
  },
  { name: 'offline', open: openOffline },
  {
    name: 'models',
    open: async (page) => {
      await showPart(page, 'models')
      await page.locator('main').getByText('In use').waitFor({ timeout })
    },
  },
  { name: 'compare', open: openCompared },
  { name: 'onnx', open: openSearched },
  { name: 'api', open: openAnswered },
  { name: 'keys', open: (page) => openSheet(page, '?') },
  { name: 'preferences', open: (page) => openSheet(page, 'Alt+,') },
  { name: 'benchmark', open: openMeasured, show: (page) => downloadOf(page).scrollIntoViewIfNeeded() },
]

/**
 * @param {Page} page
 * @param {string} part as the address has it
 */
async function showPart(page, part) {
  await page.goto(`./#${part}`)
  await page
    .locator(part === 'chat' ? '#message' : 'main h1')
    .first()
    .waitFor()
}

/** @param {Page} page */
async function isReady(page) {
  await page.getByLabel('Model state').filter({ hasText: 'On this device' }).waitFor({ timeout })
}

/** @param {Page} page */
async function openChat(page) {
  await showPart(page, 'chat')
  await isReady(page)
}

/** @param {Page} page */
async function openOffline(page) {
  await openChat(page)
  await page.context().setOffline(true)
  await page.locator('[data-code=offline]').waitFor()
}

/** @param {Page} page @param {string} key */
async function openSheet(page, key) {
  await openChat(page)
  await page.locator('main').press(key)
  await page.getByRole('dialog').waitFor()
}

/** @param {Page} page */
async function openCompared(page) {
  await showPart(page, 'compare')
  await page.getByRole('region', { name: 'Model A' }).getByLabel('Runs on').selectOption('wasm')
  await page.getByRole('region', { name: 'Model B' }).getByLabel('Runs on').selectOption('ort')
  await page.getByLabel('Prompt for both').fill('What is the capital of France?')
  await page.getByRole('button', { name: 'Ask both' }).click()
  await page.locator('.pane-answer[data-state=done]').nth(1).waitFor({ timeout })
}

/** @param {Page} page */
async function openSearched(page) {
  await showPart(page, 'onnx')
  await page.getByRole('button', { name: 'Use an example' }).click()
  const load = page.getByRole('button', { name: 'Load search model' })
  if (await load.isVisible()) await load.click()
  await page.getByLabel('What to look for').fill('insects')
  await page.getByRole('list', { name: 'Results' }).waitFor({ timeout })
  await page.locator('main').click({ position: { x: 4, y: 4 } })
}

/** @param {Page} page */
async function openAnswered(page) {
  await showPart(page, 'api')
  const send = page.getByRole('button', { name: 'Send' })
  await send.waitFor({ timeout })
  await page.getByText('through this page’s service worker').waitFor({ timeout })
  await send.click()
  await page.locator('.api-status', { hasText: 'took' }).waitFor({ timeout })
}

/** @param {Page} page */
async function openMeasured(page) {
  await page.goto('bench.html')
  await page.getByLabel('WebGPU').uncheck()
  await page.getByLabel('CPU (WebAssembly)').check()
  for (const name of ['First token of 32', 'Load from storage']) await page.getByLabel(name).uncheck()
  await page.getByRole('button', { name: 'Run', exact: true }).click()
  await downloadOf(page).waitFor({ timeout })
}

/** @param {Page} page */
const downloadOf = (page) => page.getByText('Download JSON')

/**
 * Loads the model and asks, greedily and on the CPU, so that the words are the same every time and everywhere.
 * @param {Page} page
 */
async function loadAndAsk(page) {
  await page.getByRole('button', { name: 'Load model' }).click()
  await isReady(page)
  await page.evaluate(() =>
    localStorage.setItem('brasa.answers', JSON.stringify({ keepProbabilities: true })),
  )
  await page.reload()
  await isReady(page)
  for (const question of questions) {
    const box = page.getByLabel('Message')
    await box.fill(question)
    await box.press('Enter')
    await page
      .locator('article.answer[aria-busy=true]')
      .waitFor({ state: 'attached' })
      .catch(() => undefined)
    await page.locator('article.answer').last().and(page.locator('[aria-busy=false]')).waitFor({ timeout })
  }
  await page.evaluate(() => localStorage.removeItem('brasa.answers'))
}

/**
 * A load that takes its time: a shard every few seconds, as over a network.
 * @param {Page} page
 */
async function openLoading(page) {
  let numSeen = 0
  await page.context().route('**/models/**/*.bin', async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 4000 * ++numSeen))
    // The picture may be taken by then, and the page closed.
    await route.continue().catch(() => undefined)
  })
  await page.goto('./')
  await page.getByRole('button', { name: 'Load model' }).click()
  await page.getByText(/ [kM]?B\/s/).waitFor({ timeout })
}

/**
 * @param {Page} page
 * @param {string} path without its size and its ending
 * @param {(page: Page) => Promise<unknown>} [show] brings what matters into sight
 */
async function takeSizes(page, path, show) {
  for (const [size, viewport] of Object.entries(sizes)) {
    await page.setViewportSize(viewport)
    // What a narrow page moves is at its place again.
    await page.waitForTimeout(300)
    await show?.(page)
    await take(page, `${path}-${size}`)
  }
}

/**
 * @param {Page} page
 * @param {string} path without its ending
 */
async function take(page, path) {
  for (const theme of themes) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' })
    const png = await page.screenshot({ animations: 'disabled', caret: 'hide' })
    await writeFile(`${path}-${theme}.webp`, await webp(page, png))
    console.log(`${path}-${theme}.webp`)
  }
}

/**
 * A third of the bytes of a PNG. The browser at hand is the encoder.
 * @param {Page} page
 * @param {Buffer} png
 */
async function webp(page, png) {
  const url = await page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))
    const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }))
    const canvas = new OffscreenCanvas(image.width, image.height)
    canvas.getContext('2d')?.drawImage(image, 0, 0)
    const blob = await canvas.convertToBlob({ type: 'image/webp', quality: 0.8 })
    let text = ''
    for (const byte of new Uint8Array(await blob.arrayBuffer())) text += String.fromCharCode(byte)
    return btoa(text)
  }, png.toString('base64'))
  return Buffer.from(url, 'base64')
}

/** Pictures of every page with something in it, wide and narrow, light and dark, as docs/screenshots/PAGE-SIZE-THEME.webp. */
await runAsScript(import.meta.url, async (args) => {
  const { values } = parseArgs({
    args,
    options: { out: { type: 'string', default: join(root, 'docs', 'screenshots') } },
  })
  ensureInstalled()
  await fetchModel()
  await fetchModel({ id: 'all-minilm-l6-v2' })
  ensureBuilt()
  const { chromium } = await import('playwright')
  const { serve } = await import('./serve.mjs')
  const server = await serve(0)
  const browser = await chromium.launch({ executablePath: await findOrInstallChromium(), args: chromiumArgs })
  await rm(values.out, { recursive: true, force: true })
  await mkdir(values.out, { recursive: true })
  try {
    const options = {
      baseURL: server.url,
      viewport: sizes.desktop,
      deviceScaleFactor: 1.5,
      locale: 'en-GB',
    }
    const context = await browser.newContext(options)
    const page = await context.newPage()
    await page.addInitScript(() => {
      localStorage.setItem('brasa.settings', JSON.stringify({ temperature: 0, maxTokens: 200 }))
      localStorage.setItem('brasa.backend', JSON.stringify('wasm'))
    })
    await page.goto('./')
    await page.getByRole('button', { name: 'Load model' }).waitFor()
    await takeSizes(page, join(values.out, 'first-visit'))
    // A page that a service worker answers makes no requests that could be held.
    const held = await browser.newContext({ ...options, serviceWorkers: 'block' })
    const heldPage = await held.newPage()
    await openLoading(heldPage)
    await takeSizes(heldPage, join(values.out, 'loading'))
    await held.close()
    await page.setViewportSize(sizes.desktop)
    await loadAndAsk(page)
    for (const { name, open, show } of pictures) {
      await page.setViewportSize(sizes.desktop)
      await open(page)
      await takeSizes(page, join(values.out, name), show)
      await context.setOffline(false)
      // Each begins from a page of its own, with nothing over it.
      await page.goto('about:blank')
    }
    await page.setViewportSize(sizes.phone)
    await openChat(page)
    for (const [name, opens] of /** @type {const} */ ([
      ['menu', /^Menu/],
      ['panel', 'Machine and settings'],
    ])) {
      await page.getByRole('button', { name: opens }).click()
      await page.getByRole('dialog').waitFor()
      await take(page, join(values.out, `${name}-phone`))
      await page.keyboard.press('Escape')
    }
  } finally {
    await browser.close()
    await server.close()
  }
  // What the manifest shows to who may install the page.
  for (const [size, name] of /** @type {const} */ ([
    ['desktop', 'wide'],
    ['phone', 'narrow'],
  ])) {
    const picture = join(values.out, `chat-${size}-light.webp`)
    await copyFile(picture, join(root, 'public', `screenshot-${name}.webp`))
  }
  const files = await readdir(values.out)
  const bytes = await Promise.all(files.map(async (name) => (await stat(join(values.out, name))).size))
  const total = bytes.reduce((sum, size) => sum + size, 0)
  console.log(`${files.length} pictures, ${(total / 1e6).toFixed(2)} MB`)
  if (total > maxBytes)
    throw new ScriptError(`That is more than ${maxBytes / 1e6} MB: take fewer or smaller ones.`)
})
