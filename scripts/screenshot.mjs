// @ts-check
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
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
/** All pictures together: they are fetched with the repository. */
const maxBytes = 3_000_000

const questions = [
  'What is the capital of France?',
  'Write a Python function that reverses a list, and explain it in a numbered list.',
]

/** @type {readonly { name: string, open: (page: Page) => Promise<unknown> }[]} */
const pictures = [
  { name: 'chat', open: (page) => showPart(page, 'chat') },
  { name: 'models', open: (page) => showPart(page, 'models') },
  { name: 'compare', open: (page) => showPart(page, 'compare') },
  { name: 'onnx', open: (page) => showPart(page, 'onnx') },
  { name: 'api', open: (page) => showPart(page, 'api') },
  {
    name: 'benchmark',
    open: async (page) => {
      await page.goto('bench.html')
      await page.locator('h1').waitFor()
    },
  },
]

/**
 * @param {Page} page
 * @param {string} part as the address has it
 */
async function showPart(page, part) {
  await page.goto(`./#${part}`)
  await page
    .locator(part === 'chat' ? '#message' : 'main :is(h1, h2)')
    .first()
    .waitFor()
}

/**
 * Loads the model and asks, greedily and on the CPU, so that the words are the same every time and everywhere.
 * @param {Page} page
 */
async function loadAndAsk(page) {
  await page.getByRole('button', { name: 'Load model' }).click()
  await page.getByLabel('Model state').filter({ hasText: 'On this device' }).waitFor({ timeout: 240_000 })
  for (const question of questions) {
    const box = page.getByLabel('Message')
    await box.fill(question)
    await box.press('Enter')
    await page
      .locator('article.answer[aria-busy=true]')
      .waitFor({ state: 'attached' })
      .catch(() => undefined)
    await page
      .locator('article.answer')
      .last()
      .and(page.locator('[aria-busy=false]'))
      .waitFor({ timeout: 240_000 })
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
    const blob = await canvas.convertToBlob({ type: 'image/webp', quality: 0.86 })
    let text = ''
    for (const byte of new Uint8Array(await blob.arrayBuffer())) text += String.fromCharCode(byte)
    return btoa(text)
  }, png.toString('base64'))
  return Buffer.from(url, 'base64')
}

/** Pictures of every page, wide and narrow, light and dark, as docs/screenshots/PAGE-SIZE-THEME.webp. */
await runAsScript(import.meta.url, async (args) => {
  const { values } = parseArgs({
    args,
    options: { out: { type: 'string', default: join(root, 'docs', 'screenshots') } },
  })
  ensureInstalled()
  await fetchModel()
  ensureBuilt()
  const { chromium } = await import('playwright')
  const { serve } = await import('./serve.mjs')
  const server = await serve(0)
  const browser = await chromium.launch({ executablePath: await findOrInstallChromium(), args: chromiumArgs })
  await rm(values.out, { recursive: true, force: true })
  await mkdir(values.out, { recursive: true })
  try {
    const context = await browser.newContext({
      baseURL: server.url,
      viewport: sizes.desktop,
      deviceScaleFactor: 1.5,
      locale: 'en-GB',
    })
    const page = await context.newPage()
    await page.addInitScript(() => {
      localStorage.setItem('brasa.settings', JSON.stringify({ temperature: 0, maxTokens: 200 }))
      localStorage.setItem('brasa.backend', JSON.stringify('wasm'))
    })
    for (const [size, viewport] of Object.entries(sizes)) {
      await page.setViewportSize(viewport)
      await page.goto('./')
      await page.getByRole('button', { name: 'Load model' }).waitFor()
      await take(page, join(values.out, `first-visit-${size}`))
    }
    await page.setViewportSize(sizes.desktop)
    await loadAndAsk(page)
    for (const [size, viewport] of Object.entries(sizes)) {
      await page.setViewportSize(viewport)
      for (const { name, open } of pictures) {
        await open(page)
        await take(page, join(values.out, `${name}-${size}`))
      }
      // Back from the benchmark's page, the model is loaded again.
      await showPart(page, 'chat')
      await page.getByLabel('Model state').filter({ hasText: 'On this device' }).waitFor({ timeout: 240_000 })
    }
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
  const files = await readdir(values.out)
  const bytes = await Promise.all(files.map(async (name) => (await stat(join(values.out, name))).size))
  const total = bytes.reduce((sum, size) => sum + size, 0)
  console.log(`${files.length} pictures, ${(total / 1e6).toFixed(2)} MB`)
  if (total > maxBytes)
    throw new ScriptError(`That is more than ${maxBytes / 1e6} MB: take fewer or smaller ones.`)
})
