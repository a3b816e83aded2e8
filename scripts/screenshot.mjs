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
 * Asks the page a question, and photographs the answer.
 * @param {import('playwright').Page} page
 * @param {string} question
 */
async function askAndWait(page, question) {
  const box = page.getByRole('textbox').first()
  await box.waitFor({ timeout: 180_000 })
  await box.fill(question)
  await box.press('Enter')
  // The line of figures under an answer comes with its last token.
  await page
    .getByText(/tok\/s/)
    .last()
    .waitFor({ timeout: 180_000 })
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
    for (const { name, colorScheme, viewport } of shots) {
      const page = await browser.newPage({ colorScheme, viewport, deviceScaleFactor: 2 })
      await page.goto(server.url)
      await askAndWait(page, values.question)
      const path = join(values.out, `screenshot-${name}.png`)
      await page.screenshot({ path })
      console.log(path)
      await page.close()
    }
  } finally {
    await browser.close()
    await server.close()
  }
})
