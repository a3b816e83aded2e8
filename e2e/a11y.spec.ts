import { expect, type Page, test } from '@playwright/test'
import { expectNoFaults, seriousProblems, tooSmall, tooWide } from './axe.ts'
import { ask, goTo, lastAnswer, openLoadedChat } from './chat-page.ts'

const desktop = { width: 1280, height: 800 }
const phone = { width: 360, height: 740 }
const parts = ['chat', 'models', 'compare', 'onnx', 'api'] as const

async function showPart(page: Page, part: string): Promise<void> {
  await goTo(page, part)
  await expect(page.locator(part === 'chat' ? '#message' : 'main h1, main h2').first()).toBeVisible()
}

/** Each sheet that a window of this size has, and the control that opens it. */
function sheetsOf(isPhone: boolean): readonly string[] {
  return isPhone ? ['chats', 'panel', 'models', 'keys', 'preferences'] : ['models', 'keys', 'preferences']
}

async function openSheet(page: Page, name: string): Promise<void> {
  const isPhone = (page.viewportSize()?.width ?? 0) < 721
  if (name === 'chats') await page.getByRole('button', { name: /^Menu/ }).click()
  else if (name === 'panel') await page.getByRole('button', { name: 'Machine and settings' }).click()
  else if (name === 'models') await page.getByRole('button', { name: /^Models:/ }).click()
  else {
    if (isPhone) await page.getByRole('button', { name: /^Menu/ }).click()
    await page.getByRole('button', { name: name === 'keys' ? 'Keys' : 'Preferences' }).click()
  }
  await expect(page.getByRole('dialog')).toBeVisible()
}

/** Every page and sheet in light and dark, wide and narrow. */
async function checkAll(page: Page, faults: ReturnType<typeof expectNoFaults>, where: string): Promise<void> {
  for (const size of [desktop, phone]) {
    await page.setViewportSize(size)
    const isPhone = size === phone
    const check = async (what: string) => {
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
        const name = `${where} ${what} ${size.width} ${colorScheme}`
        faults.add(name, await seriousProblems(page))
      }
      faults.add(`${where} ${what} ${size.width}`, await tooWide(page))
    }
    for (const part of parts) {
      await showPart(page, part)
      await check(part)
    }
    await showPart(page, 'chat')
    for (const sheet of sheetsOf(isPhone)) {
      await openSheet(page, sheet)
      await check(`sheet ${sheet}`)
      await page.keyboard.press('Escape')
      await expect(page.getByRole('dialog')).toBeHidden()
    }
  }
}

test('axe finds nothing serious on any page or sheet, light and dark, wide and narrow', async ({ page }) => {
  const faults = expectNoFaults()
  await page.setViewportSize(desktop)
  await openLoadedChat(page, 'wasm')
  await ask(page, 'Explain what a list is in Python, with an example in code and a numbered list.')
  await lastAnswer(page)
  await checkAll(page, faults, 'with an answer')
  faults.end()
})

test('axe finds nothing serious before a model is loaded, nor on the benchmark page', async ({ page }) => {
  const faults = expectNoFaults()
  for (const size of [desktop, phone]) {
    await page.setViewportSize(size)
    for (const path of ['./', './bench.html']) {
      await page.goto(path)
      await expect(page.locator('h1')).toBeVisible()
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
        faults.add(`${path} ${size.width} ${colorScheme}`, await seriousProblems(page))
      }
      faults.add(`${path} ${size.width}`, await tooWide(page))
    }
  }
  faults.end()
})

test('with touch everything is large enough, and with twice the text size nothing is lost', async ({
  browser,
}) => {
  const faults = expectNoFaults()
  const touch = await browser.newContext({ viewport: phone, hasTouch: true, isMobile: true })
  const page = await touch.newPage()
  await page.goto('/')
  for (const part of parts) {
    await showPart(page, part)
    faults.add(part, await tooSmall(page))
    faults.add(part, await tooWide(page))
  }
  await showPart(page, 'chat')
  for (const sheet of sheetsOf(true)) {
    await openSheet(page, sheet)
    faults.add(`sheet ${sheet}`, await tooSmall(page))
    await page.keyboard.press('Escape')
    await expect(page.getByRole('dialog')).toBeHidden()
  }
  await page.goto('/bench.html')
  await expect(page.locator('h1')).toBeVisible()
  faults.add('bench.html', await tooSmall(page))
  await touch.close()

  const large = await browser.newPage({ viewport: desktop })
  for (const path of ['/', '/bench.html']) {
    await large.goto(path)
    await expect(large.locator('h1').first()).toBeVisible()
    await large.evaluate(() => {
      document.documentElement.style.fontSize = '200%'
    })
    for (const part of path === '/' ? parts : []) {
      await showPart(large, part)
      faults.add(`${part} at 200 %`, await tooWide(large))
    }
    faults.add(`${path} at 200 %`, await tooWide(large))
  }
  await large.close()
  faults.end()
})
