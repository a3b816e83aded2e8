import { readFile } from 'node:fs/promises'
import { type Browser, expect, type FileChooser, type Page, test } from '@playwright/test'
import { ask, lastAnswer, loadTimeoutMs, longTask, openLoadedChat } from './chat-page.ts'
import { chooseFiles } from './keys.ts'

/** A chat as pages from before the database left it. */
const legacyChat = (id: string, asked: string, answered: string, updatedAt = Date.now()) => ({
  id,
  updatedAt,
  messages: [
    { role: 'user', id: `${id}-q`, content: asked },
    { role: 'assistant', id: `${id}-a`, content: answered, state: 'done' },
  ],
})

/** Opens the page with chats of old, without a model: most of what is done with chats needs none. */
async function openWithChats(page: Page, chats: readonly { readonly id: string }[]): Promise<void> {
  await page.addInitScript((seeds) => {
    if (sessionStorage.getItem('seeded') !== null) return
    sessionStorage.setItem('seeded', 'yes')
    for (const chat of seeds) localStorage.setItem(`brasa.chat.${chat.id}`, JSON.stringify(chat))
  }, chats)
  await page.goto('/')
}

const embers = legacyChat('embers', 'A haiku about embers', 'Grey ash, red heart: the café glows at night.')
const harbour = legacyChat('harbour', 'Summary of the harbour log', 'Three ships came in.', Date.now() - 1000)

const chatLine = (page: Page, title: string) => page.locator('.nav-chat').filter({ hasText: title })
const search = (page: Page) => page.getByRole('searchbox', { name: 'Search chats' })

/** Opens the menu that stands next in the order of Tab and takes one of its entries, by keys alone. */
async function takeFromMenu(page: Page, word: string): Promise<void> {
  await page.keyboard.press('Enter')
  const item = page.getByRole('menuitem', { name: word })
  await expect(page.getByRole('menuitem').first()).toBeFocused()
  for (
    let step = 0;
    step < 6 && !(await item.evaluate((entry) => entry === document.activeElement));
    step++
  ) {
    await page.keyboard.press('ArrowDown')
  }
  await expect(item).toBeFocused()
  await page.keyboard.press('Enter')
}

/** From the search back to the menu of all chats. */
async function toAllChats(page: Page): Promise<void> {
  await page.keyboard.press('ControlOrMeta+k')
  await expect(search(page)).toBeFocused()
  await page.keyboard.press('Shift+Tab')
  await expect(page.getByRole('button', { name: 'All chats' })).toBeFocused()
}

test('by keys alone: search, open, rename, delete and Undo, export and import; and a reload keeps it all', async ({
  page,
}) => {
  await openWithChats(page, [embers, harbour])
  await expect(page.locator('.nav-chat')).toHaveCount(2)

  await page.keyboard.press('ControlOrMeta+k')
  await page.keyboard.type('CAFE')
  await expect(page.locator('.nav-chat')).toHaveCount(1)
  await expect(page.locator('.nav-chat mark')).toHaveText('café')
  await page.keyboard.press('ArrowDown')
  await expect(chatLine(page, 'embers')).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(page.locator('[data-role=answer]')).toContainText('Grey ash')
  await page.keyboard.press('ControlOrMeta+k')
  await page.keyboard.press('Escape')
  await expect(page.locator('.nav-chat')).toHaveCount(2)

  // Rename the open chat; Esc leaves another title as it was.
  await page.keyboard.press('F2')
  await expect(page.getByLabel('New title for chat: A haiku about embers')).toBeFocused()
  await page.keyboard.type('Fire')
  await page.keyboard.press('Enter')
  await expect(chatLine(page, 'Fire')).toBeFocused()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('F2')
  await page.keyboard.type('Nothing')
  await page.keyboard.press('Escape')
  await expect(chatLine(page, 'harbour')).toBeFocused()

  // Delete, and bring it back.
  await page.keyboard.press('Delete')
  await expect(page.getByText('“Summary of the harbour log” was deleted.')).toBeVisible()
  await expect(page.locator('.nav-chat')).toHaveCount(1)
  await expect(chatLine(page, 'Fire')).toBeFocused()
  await page.keyboard.press('ControlOrMeta+z')
  await expect(page.locator('.nav-chat')).toHaveCount(2)

  // One as Markdown and as JSON, all as JSON.
  const exported = async (word: string) => {
    await chatLine(page, 'Fire').focus()
    await page.keyboard.press('Tab')
    const download = page.waitForEvent('download')
    await takeFromMenu(page, word)
    return {
      name: (await download).suggestedFilename(),
      bytes: await readFile(await (await download).path()),
    }
  }
  const markdown = await exported('Export as Markdown')
  expect(markdown.name).toBe('Fire.md')
  expect(markdown.bytes.toString()).toMatch(/^# Fire .*\n\n## You .*\n\nA haiku/)
  const one = await exported('Export as JSON')
  expect(one.name).toBe('Fire.json')
  expect(JSON.parse(one.bytes.toString()).chats).toMatchObject([{ title: 'Fire' }])
  await toAllChats(page)
  const json = page.waitForEvent('download')
  await takeFromMenu(page, 'Export all chats')
  const file = await (await json).path()

  await page.reload()
  await expect(page.locator('.nav-chat')).toHaveText(['Fire', 'Summary of the harbour log'])
  await expect(page.locator('[data-role=answer]')).toContainText('Grey ash')

  // What is here is not doubled; what is gone comes back; a bad file says what is wrong with it.
  await chatLine(page, 'Fire').focus()
  await page.keyboard.press('Delete')
  await expect(page.locator('.nav-chat')).toHaveCount(1)
  const importFile = (chosen: Parameters<FileChooser['setFiles']>[0]) => {
    const open = async () => {
      await toAllChats(page)
      await takeFromMenu(page, 'Import chats')
    }
    return chooseFiles(page, open, chosen)
  }
  await importFile(file)
  await expect(page.getByText('1 chat was imported. 1 chat was here already.')).toBeVisible()
  await expect(page.locator('.nav-chat')).toHaveText(['Fire', 'Summary of the harbour log'])
  for (const { name, bytes } of [markdown, one]) {
    await chatLine(page, 'Fire').focus()
    await page.keyboard.press('Delete')
    await expect(page.locator('.nav-chat')).toHaveCount(1)
    await importFile({ name, mimeType: '', buffer: bytes })
    await expect(page.getByText('1 chat was imported.')).toBeVisible()
    await expect(page.locator('.nav-chat')).toHaveText(['Fire', 'Summary of the harbour log'])
  }
  await importFile({
    name: 'bad.json',
    mimeType: 'application/json',
    buffer: Buffer.from(
      '{"format":"brasa.chats","version":1,"chats":[{"id":"x","updatedAt":1,"messages":7}]}',
    ),
  })
  await expect(
    page.getByText('In bad.json, chat 1 has no valid “messages”. No chat was imported.'),
  ).toBeVisible()
  await expect(page.getByRole('button', { name: 'Choose another file' })).toBeVisible()
})

test('by keys alone: edit, branch and go between branches; drafts stay with their chats', async ({
  page,
}) => {
  test.setTimeout(2 * loadTimeoutMs)
  await openLoadedChat(page, 'wasm')
  const answers = page.getByRole('article', { name: 'Answer' })
  const questions = page.locator('[data-role=question]')
  await ask(page, 'What is the capital of France?')
  expect(await lastAnswer(page)).toBe('The capital of France is Paris.')
  await ask(page, 'And of Italy?')
  await lastAnswer(page)

  // The first question in other words: a branch beside the old one.
  await page.getByRole('button', { name: 'Edit question' }).first().focus()
  await page.keyboard.press('Enter')
  const editor = page.getByLabel('Question in other words')
  await expect(editor).toBeFocused()
  await page.keyboard.press('ControlOrMeta+a')
  await page.keyboard.type('Say hello.')
  await page.keyboard.press('Enter')
  await lastAnswer(page)
  await expect(questions).toHaveText(['Say hello.'])
  const place = page.locator('.question .branches')
  await expect(place).toHaveText('2 of 2')
  await place.getByRole('button', { name: 'Previous version' }).focus()
  await page.keyboard.press('Enter')
  await expect(questions).toHaveText(['What is the capital of France?', 'And of Italy?'])
  await expect(place).toHaveText('1 of 2')
  await expect(place.getByRole('button', { name: 'Previous version' })).toBeFocused()

  // From the first answer into a chat of its own; the other stays whole.
  await answers.first().getByRole('button', { name: 'Branch' }).focus()
  await page.keyboard.press('Enter')
  await expect(chatLine(page, 'What is the capital of France? (branch)')).toHaveAttribute(
    'aria-current',
    'page',
  )
  await expect(questions).toHaveCount(1)

  // Again on top of it: two answers in one place.
  await page.keyboard.press('Alt+r')
  await lastAnswer(page)
  await expect(page.locator('.answer .branches')).toHaveText('2 of 2')

  // Each chat has its own draft, after a reload too.
  const box = page.getByLabel('Message')
  await box.fill('Of the branch')
  await page.keyboard.press('Alt+ArrowDown')
  await expect(questions).toHaveCount(2)
  await expect(box).toHaveValue('')
  await box.fill('Of the first chat')
  await page.keyboard.press('Alt+ArrowUp')
  await expect(box).toHaveValue('Of the branch')
  await page.reload()
  await expect(box).toHaveValue('Of the branch')
  await expect(page.locator('.answer .branches')).toHaveText('2 of 2')
  await page.keyboard.press('Alt+ArrowDown')
  await expect(box).toHaveValue('Of the first chat')
})

test('a crash in mid-answer keeps what was said up to the last second', async ({ page, context }) => {
  test.setTimeout(2 * loadTimeoutMs)
  await openLoadedChat(page, 'wasm')
  await ask(page, longTask)
  const answer = page.locator('[data-role=answer]').last()
  await expect.poll(async () => (await answer.textContent())!.length).toBeGreaterThan(200)
  const said = (await answer.textContent())!
  // One second is what may be lost; with it the words above are in the store.
  await expect
    .poll(() => answer.textContent().then((text) => text!.length))
    .toBeGreaterThan(said.length + 200)
  const crash = await context.newCDPSession(page)
  void crash.send('Page.crash').catch(() => {})
  await page.waitForEvent('crash')

  const next = await context.newPage()
  await next.goto('/')
  const kept = next.locator('[data-role=answer]').last()
  await expect(kept).toContainText(said.slice(0, 100))
  await expect(kept).toHaveAttribute('data-state', 'stopped')
})

test('a second tab writes in the same chats, and a database that is deleted is written again', async ({
  page,
  context,
}) => {
  await openWithChats(page, [embers, harbour])
  await expect(page.locator('.nav-chat')).toHaveCount(2)
  const other = await context.newPage()
  await other.goto('/')
  await chatLine(other, 'embers').focus()
  await other.keyboard.press('F2')
  await other.keyboard.type('From the other tab')
  await other.keyboard.press('Enter')
  await chatLine(page, 'harbour').focus()
  await page.keyboard.press('F2')
  await page.keyboard.type('From this tab')
  await page.keyboard.press('Enter')
  for (const tab of [page, other]) {
    await expect(tab.locator('.nav-chat')).toHaveText(['From the other tab', 'From this tab'])
  }

  const numStored = () =>
    other.evaluate(async () => {
      if (!(await indexedDB.databases()).some(({ name }) => name === 'brasa.chats')) return 0
      return new Promise<number>((resolve, reject) => {
        const request = indexedDB.open('brasa.chats')
        request.onerror = () => reject(request.error)
        request.onupgradeneeded = () => request.transaction!.abort()
        request.onsuccess = () => {
          const count = request.result.transaction('chats').objectStore('chats').count()
          count.onsuccess = () => {
            request.result.close()
            resolve(count.result)
          }
        }
      }).catch(() => 0)
    })
  await other.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const request = indexedDB.deleteDatabase('brasa.chats')
        request.onsuccess = resolve
        request.onerror = reject
      }),
  )
  await expect.poll(numStored).toBe(2)
  await page.reload()
  await expect(page.locator('.nav-chat')).toHaveText(['From the other tab', 'From this tab'])
})

test('a store that is full says so, loses nothing, and takes everything once there is room', async ({
  page,
  baseURL,
}) => {
  const { origin } = new URL(baseURL!)
  const devtools = await page.context().newCDPSession(page)
  // Before the first write: the browser remembers for a while how much room there was.
  await devtools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1 })
  await openWithChats(page, [embers, harbour])
  const notice = page.locator('[data-code=chats_full]')
  await expect(notice).toContainText('Storage is full.')
  await expect(notice.getByRole('button', { name: 'Remove models' })).toBeVisible()
  await expect(notice.getByRole('button', { name: 'Delete the 2 oldest chats' })).toBeVisible()
  await expect(notice.getByRole('button', { name: 'Export all chats' })).toBeVisible()
  // The browser may ask before it lets go of what is not kept.
  page.on('dialog', (dialog) => dialog.accept())
  await page.reload()
  await expect(page.locator('.nav-chat')).toHaveCount(2)
  await devtools.send('Storage.overrideQuotaForOrigin', { origin })
  const tryAgain = notice.getByRole('button', { name: 'Try again' })
  await expect(async () => {
    if (await tryAgain.isVisible()) await tryAgain.press('Enter', { timeout: 1000 })
    await expect(notice).toBeHidden({ timeout: 1000 })
  }).toPass()
  await page.reload()
  await expect(page.locator('.nav-chat')).toHaveCount(2)
  // They leave once the database has been opened and has them.
  await expect
    .poll(() => page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith('brasa.chat.'))))
    .toEqual([])
})

test('without a database the chats stay in the tab, the page says so, and they can be exported', async ({
  browser,
}: {
  browser: Browser
}) => {
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.addInitScript(() => Object.defineProperty(window, 'indexedDB', { value: undefined }))
  await openWithChats(page, [embers])
  const notice = page.locator('[data-code=chats_missing]')
  await expect(notice).toContainText('They stay in this tab and are gone when it closes.')
  await chatLine(page, 'embers').click()
  await expect(page.locator('[data-role=answer]')).toContainText('Grey ash')
  const file = page.waitForEvent('download')
  await notice.getByRole('button', { name: 'Export all chats' }).focus()
  await page.keyboard.press('Enter')
  expect(JSON.parse(await readFile(await (await file).path(), 'utf8')).chats).toHaveLength(1)
  await context.close()
})

test('a database of a newer page is left alone, and the page says to reload', async ({ page }) => {
  await openWithChats(page, [embers])
  await expect(page.locator('.nav-chat')).toHaveCount(1)
  const openNewer = () =>
    page.evaluate(
      () =>
        new Promise((resolve) => {
          const request = indexedDB.open('brasa.chats', 2)
          request.onsuccess = () => resolve(request.result.close())
        }),
    )
  await openNewer()
  const notice = page.locator('[data-code=chats_newer]')
  await expect(notice.getByRole('button', { name: 'Reload' })).toBeVisible()
  await expect(notice.getByRole('button', { name: 'Export all chats' })).toBeVisible()
  await notice.getByRole('button', { name: 'Reload' }).click()
  // This page is still the older one: nothing is overwritten, and it says so again.
  await expect(notice).toContainText('A newer version of this page')
})

test('a thousand chats and a chat of five hundred messages stay quick', async ({ page }) => {
  const words = (seed: number) => `${'Ships come and go at night. '.repeat(12)}Number ${seed}.`
  const messages = Array.from({ length: 500 }, (_, index) => ({
    role: index % 2 === 0 ? 'user' : 'assistant',
    id: `m${index}`,
    parent: index === 0 ? null : `m${index - 1}`,
    content: index % 2 === 0 ? `Question ${index}` : `**Answer** ${words(index)}\n\n- one\n- two\n\n\`code\``,
    state: 'done',
  }))
  const chats = Array.from({ length: 1000 }, (_, index) => ({
    id: `chat-${index}`,
    updatedAt: 1_700_000_000_000 + index,
    messages: [
      { role: 'user', id: 'q', parent: null, content: `Chat number ${index}` },
      { role: 'assistant', id: 'a', parent: 'q', content: words(index), state: 'done' },
    ],
  }))
  const long = { id: 'long', updatedAt: 1_800_000_000_000, messages }
  const file = JSON.stringify({ format: 'brasa.chats', version: 1, chats: [...chats, long] })
  await page.goto('/')
  await page.getByRole('button', { name: 'All chats' }).click()
  const chooser = page.waitForEvent('filechooser')
  await page.getByRole('menuitem', { name: 'Import chats' }).click()
  await (await chooser).setFiles({
    name: 'many.json',
    mimeType: 'application/json',
    buffer: Buffer.from(file),
  })
  await expect(page.locator('.nav-chat')).toHaveCount(1001)

  /** Until the page has drawn what came of it, in ms. */
  const drawn = (act: () => void) =>
    page.evaluate(
      `(async () => {
        const start = performance.now()
        ;(${act.toString()})()
        await new Promise((done) => requestAnimationFrame(() => setTimeout(done)))
        return performance.now() - start
      })()`,
    )
  const found = await drawn(() => {
    const field = document.querySelector<HTMLInputElement>('.chats-search')!
    field.value = 'number 777'
    field.dispatchEvent(new Event('input', { bubbles: true }))
  })
  await expect(page.locator('.nav-chat')).toHaveText(/Chat number 777/)
  await search(page).fill('')
  const opened = await drawn(() => document.querySelector<HTMLElement>('.nav-chat')!.click())
  await expect(page.locator('.answer')).toHaveCount(250)
  await expect(page.locator('.answer').last()).toBeInViewport()
  const reloaded = Date.now()
  await page.reload()
  await expect(page.locator('.nav-chat')).toHaveCount(1001)
  await expect(page.locator('.answer')).toHaveCount(250)
  const figures = { found, opened, reloaded: Date.now() - reloaded }
  test.info().annotations.push({ type: 'figures', description: JSON.stringify(figures) })
  // The limits are for what became quadratic.
  expect(found).toBeLessThan(2000)
  expect(opened).toBeLessThan(8000)
})
