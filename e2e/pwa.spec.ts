import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium, expect, type Page, test } from '@playwright/test'
import { chromiumArgs } from '../scripts/chromium.mjs'
import { ask, expectReady, isControlled, lastAnswer, loadTimeoutMs, longTask } from './chat-page.ts'
import { makeVersions, watchOutside } from './deployment.ts'
import { press } from './keys.ts'
import { serveBelow } from './static-host.ts'

const question = 'What is the capital of France?'
const answer = 'The capital of France is Paris.'

let folder: string
let versions: ReturnType<typeof makeVersions>

test.beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'brasa-pwa-'))
  versions = makeVersions(folder)
})
test.afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A browser of its own on a profile that outlives it, with its real service workers. */
async function openBrowser(
  profile: string,
  args: readonly string[] = [],
): Promise<{ context: BrowserContext; page: Page; requests: readonly string[] }> {
  const { executablePath } = test.info().project.use.launchOptions ?? {}
  const context = await chromium.launchPersistentContext(join(folder, profile), {
    args: [...chromiumArgs, ...args],
    serviceWorkers: 'allow',
    ...(executablePath !== undefined && { executablePath }),
  })
  const requests: string[] = []
  context.on('request', (request) => requests.push(request.url()))
  await context.addInitScript(() => {
    localStorage.setItem('brasa.settings', JSON.stringify({ temperature: 0 }))
    localStorage.setItem('brasa.backend', JSON.stringify('wasm'))
  })
  return { context, page: context.pages()[0] ?? (await context.newPage()), requests }
}

const notice = (page: Page, code: string) => page.locator(`.page-notice[data-code=${code}]`)
const entryOf = (page: Page) =>
  page.evaluate(() =>
    document.querySelector<HTMLScriptElement>('script[type=module]')!.src.replace(/.*\//, ''),
  )
async function expectAnswer(page: Page): Promise<void> {
  await expectReady(page)
  await ask(page, question)
  expect(await lastAnswer(page)).toBe(answer)
}

test('after one visit the app opens and answers with no server, before and after an update', async () => {
  test.setTimeout(3 * loadTimeoutMs)
  const outside = await watchOutside()
  let host = await serveBelow('/app/', { isIsolated: true, folder: versions.first })
  const { port } = new URL(host.url)
  const again = async (version: string) => {
    host = await serveBelow('/app/', { isIsolated: true, folder: version, port: Number(port) })
  }
  const elsewhere: string[] = []
  const visit = async (what: (page: Page, context: BrowserContext) => Promise<void>) => {
    const { context, page, requests } = await openBrowser('offline', outside.args)
    try {
      await page.goto(host.url)
      await what(page, context)
    } finally {
      elsewhere.push(...requests.filter((url) => !url.startsWith(host.url)))
      await context.close()
    }
  }

  await test.step('first visit: load, answer, and the API of the same worker', () =>
    visit(async (page) => {
      await page.getByRole('button', { name: 'Load model' }).click()
      await expectAnswer(page)
      await isControlled(page)
      await expect(notice(page, 'offline')).toHaveCount(0)
      const told = await page.evaluate(async () => {
        const models = await (await fetch('v1/models')).json()
        const body = { messages: [{ role: 'user', content: 'Say hello.' }], max_tokens: 4 }
        const chat = await fetch('v1/chat/completions', { method: 'POST', body: JSON.stringify(body) })
        const registrations = await navigator.serviceWorker.getRegistrations()
        return { id: models.data[0].id, status: chat.status, num: registrations.length }
      })
      expect(told).toEqual({ id: 'smollm2-135m-instruct', status: 200, num: 1 })
      const cached = await page.evaluate(async () => {
        const caches_ = await Promise.all((await caches.keys()).map((name) => caches.open(name)))
        return (await Promise.all(caches_.map((cache) => cache.keys()))).flat().map(({ url }) => url)
      })
      expect(cached.filter((url) => /\/models\/.+\//.test(url))).toEqual([])
      expect(cached.some((url) => url.endsWith('/models/models.json'))).toBe(true)
    }))

  await host.close()
  await test.step('the server is stopped and the browser started again', () =>
    visit(async (page) => {
      await expect(notice(page, 'offline')).toBeVisible()
      await expectAnswer(page)
      expect(await entryOf(page)).toBe(versions.entries[0])
      await again(versions.second)
      await page.evaluate(() => dispatchEvent(new Event('online')))
      await expect(notice(page, 'offline')).toHaveCount(0)
    }))

  await test.step('a new version waits, offline too, until the answer is written and the person wants it', () =>
    visit(async (page, context) => {
      await expect(notice(page, 'update')).toContainText('A new version is here.')
      await expectReady(page)
      const other = await context.newPage()
      await other.goto(host.url)
      await expect(notice(other, 'update')).toBeVisible()
      await expectReady(other)
      await host.close()

      await page.bringToFront()
      await ask(page, longTask)
      await expect(page.locator('[data-role=answer]').last()).not.toBeEmpty()
      await press(page, notice(page, 'update').getByRole('button', { name: 'Reload' }))
      await expect(notice(page, 'update')).toContainText('once the answer')
      expect(await entryOf(page)).toBe(versions.entries[0])
      await page.getByRole('button', { name: 'Stop' }).click()
      await expect.poll(() => entryOf(page).catch(() => undefined)).toBe(versions.entries[1])
      await expectAnswer(page)
      await expect(notice(page, 'update')).toHaveCount(0)

      // The other tab goes on with what it began with: its parts are still there, though no server has them.
      expect(await entryOf(other)).toBe(versions.entries[0])
      await expect(notice(other, 'update')).toContainText('A new version is here.')
      await other.bringToFront()
      await other.getByRole('button', { name: 'Preferences' }).click()
      await other.getByRole('combobox', { name: 'Language' }).selectOption('es')
      await expect(notice(other, 'update')).toContainText('Hay una versión nueva.')
      await other.getByRole('combobox', { name: 'Idioma' }).selectOption('en')
    }))

  await test.step('and stays after a restart without a server, with nothing left of the old one', () =>
    visit(async (page) => {
      await expect(notice(page, 'offline')).toBeVisible()
      await expectAnswer(page)
      expect(await entryOf(page)).toBe(versions.entries[1])
      const isOldCached = () =>
        page.evaluate(
          async (name) => Boolean(await caches.match(new URL(`assets/${name}`, location.href))),
          versions.entries[0],
        )
      await expect.poll(isOldCached).toBe(false)
    }))

  outside.close()
  expect(elsewhere.filter((url) => !/^(blob|data):/.test(url))).toEqual([])
  // What Chromium asks its maker for, of itself.
  expect(outside.asked.filter((url) => !/\bgoogle(apis)?\.com\b/.test(url))).toEqual([])
})

test('on a host without headers the page is isolated after one reload, and its workers have their policy', async () => {
  test.setTimeout(2 * loadTimeoutMs)
  const host = await serveBelow('/app/', { isIsolated: false, folder: versions.first })
  const { context, page } = await openBrowser('plain')
  let numLoads = 0
  page.on('framenavigated', () => numLoads++)
  try {
    await page.goto(host.url)
    // Playwright's own looks into a page count as someone's use of it, so none before this.
    await expect.poll(() => numLoads).toBe(2)
    await expect.poll(() => page.evaluate(() => crossOriginIsolated).catch(() => false)).toBe(true)
    await page.getByRole('button', { name: 'Load model' }).click()
    await expectAnswer(page)
    expect(numLoads).toBe(2)
    const policyOf = (path: string) =>
      page.evaluate(async (url) => (await fetch(url)).headers.get('content-security-policy'), path)
    const worker = [...host.sent]
      .map((file) => file.replace(/.*\//, ''))
      .find((name) => /^worker-/.test(name))
    expect(await policyOf(`assets/${worker}`)).toContain("default-src 'none'")
  } finally {
    await context.close()
    await host.close()
  }
})

test('whoever has begun to use the page is asked before it is loaded again for more threads', async () => {
  test.setTimeout(2 * loadTimeoutMs)
  let release = () => {}
  const held = { 'service-worker.js': new Promise<void>((resolve) => (release = resolve)) }
  const host = await serveBelow('/app/', { isIsolated: false, folder: versions.first, held })
  const { context, page } = await openBrowser('begun')
  let numLoads = 0
  page.on('framenavigated', () => numLoads++)
  try {
    await page.goto(host.url)
    await page.getByRole('button', { name: 'Load model' }).click()
    await expectReady(page)
    await ask(page, longTask)
    await expect(page.locator('[data-role=answer]').last()).not.toBeEmpty()
    release()
    await expect(notice(page, 'isolation')).toBeVisible()
    await page.getByRole('button', { name: 'Stop' }).click()
    await lastAnswer(page)
    expect(numLoads).toBe(1)
    await press(page, notice(page, 'isolation').getByRole('button', { name: 'Reload' }))
    await expect.poll(() => page.evaluate(() => crossOriginIsolated).catch(() => false)).toBe(true)
    await expectAnswer(page)
  } finally {
    await context.close()
    await host.close()
  }
})

test('the browser finds nothing wrong with the manifest, and would install the app', async ({ request }) => {
  const host = await serveBelow('/app/', { isIsolated: true, folder: versions.first })
  const { context, page } = await openBrowser('install')
  try {
    await page.goto(host.url)
    await isControlled(page)
    const devTools = await context.newCDPSession(page)
    const { url, errors, data } = await devTools.send('Page.getAppManifest')
    expect({ url, errors }).toEqual({ url: `${host.url}manifest.webmanifest`, errors: [] })
    const { installabilityErrors } = await devTools.send('Page.getInstallabilityErrors')
    expect(installabilityErrors).toEqual([])
    const { icons, screenshots, shortcuts } = JSON.parse(data!)
    const named = [...icons, ...screenshots].map(({ src }) => src)
    for (const path of [...named, ...shortcuts.map((shortcut: { url: string }) => shortcut.url)]) {
      expect((await request.get(new URL(path, url).href)).status(), path).toBe(200)
    }
  } finally {
    await context.close()
    await host.close()
  }
})
