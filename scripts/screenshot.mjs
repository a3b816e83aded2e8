// @ts-check
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { chromiumArgs, findOrInstallChromium } from './chromium.mjs'
import { root, runAsScript } from './command-line.mjs'
import { fetchModel } from './fetch-model.mjs'
import { ensureBuilt, ensureInstalled } from './setup.mjs'

const desktop = { width: 1280, height: 800 }
const phone = { width: 390, height: 844 }
/** @type {readonly { name: string, colorScheme: 'light' | 'dark', viewport: typeof desktop }[]} */
const shots = [
  { name: 'light', colorScheme: 'light', viewport: desktop },
  { name: 'dark', colorScheme: 'dark', viewport: desktop },
  { name: 'phone', colorScheme: 'light', viewport: phone },
]

/**
 * Loads the model and asks it a question, greedily, so that the picture is the same every time.
 * @param {import('playwright').Page} page
 * @param {string} question
 */
async function loadAndAsk(page, question) {
  await page.addInitScript(() => {
    localStorage.setItem('brasa.settings', JSON.stringify({ temperature: 0 }))
  })
  await page.goto('/')
  await page.getByRole('button', { name: 'Load model' }).click()
  await page.getByLabel('Model state').filter({ hasText: 'On this device' }).waitFor({ timeout: 240_000 })
  const box = page.getByLabel('Message')
  await box.fill(question)
  await box.press('Enter')
  await page.locator('article.answer[aria-busy=false]').waitFor({ timeout: 240_000 })
  // Headless browsers never promise to keep what is stored; the notice that says so is not what the picture is of.
  const notice = page.getByRole('button', { name: 'Understood' })
  if (await notice.isVisible()) await notice.click()
}

await runAsScript(import.meta.url, async (args) => {
  const { values } = parseArgs({
    args,
    options: {
      question: { type: 'string', default: 'What is the capital of France?' },
      out: { type: 'string', default: join(root, 'docs') },
    },
  })
  ensureInstalled()
  await fetchModel()
  ensureBuilt()
  const { chromium } = await import('playwright')
  const { serve } = await import('./serve.mjs')
  const server = await serve(0)
  const browser = await chromium.launch({ executablePath: await findOrInstallChromium(), args: chromiumArgs })
  try {
    const page = await browser.newPage({ baseURL: server.url, viewport: desktop, deviceScaleFactor: 2 })
    await loadAndAsk(page, values.question)
    for (const { name, colorScheme, viewport } of shots) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await page.setViewportSize(viewport)
      const path = join(values.out, `screenshot-${name}.png`)
      await page.screenshot({ path, animations: 'disabled' })
      console.log(path)
    }
  } finally {
    await browser.close()
    await server.close()
  }
})
