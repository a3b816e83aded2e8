import { randomBytes } from 'node:crypto'
import { chromium, expect, type Page, test } from '@playwright/test'
import { type FileServer, serveFiles } from './file-server.ts'
import { press, pressButton } from './keys.ts'
import { hugeModelHeader, tinyModelBytes } from './tiny-model.ts'

// Each trouble is a sentence that says what happened, a button that helps, which keys reach, and no conversation lost.

let server: FileServer
test.beforeEach(async () => {
  server = await serveFiles()
})
test.afterEach(() => server.close())

const question = 'A question to be kept'

async function publish(name: string, description?: string): Promise<string> {
  server.files.set(`/${name}.gguf`, { bytes: await tinyModelBytes(name, description) })
  return `${server.origin}/${name}.gguf`
}

async function open(page: Page): Promise<void> {
  await page.addInitScript(() => {
    localStorage.setItem('brasa.backend', '"wasm"')
    localStorage.setItem('brasa.settings', JSON.stringify({ temperature: 0, maxTokens: 12 }))
  })
  await page.goto('/#models')
}

/** Adds a model by its address, and waits until it answers. */
async function add(page: Page, url: string): Promise<void> {
  await startAdding(page, url)
  await expect(page.getByRole('button', { name: /^Chat with / })).toHaveAttribute(
    'aria-label',
    `Chat with ${url.split('/').at(-1)}`,
  )
}

async function startAdding(page: Page, url: string): Promise<void> {
  await page.getByLabel('Address of a model').fill(url)
  await page.getByRole('button', { name: 'Look', exact: true }).click()
  await page.getByRole('button', { name: /^(Download|Use it)/ }).click()
}

async function talk(page: Page): Promise<void> {
  await page.goto('/#chat')
  await page.getByLabel('Message').fill(question)
  await page.getByLabel('Message').press('Enter')
  await expect(page.getByRole('article', { name: 'Answer' }).last()).toHaveAttribute('aria-busy', 'false')
}

/** In the list of chats, of which the question is the title. */
async function expectChatKept(page: Page): Promise<void> {
  await expect(page.getByRole('navigation', { name: 'Chats' }).getByText(question).first()).toBeVisible()
}

const row = (page: Page, name: string) => page.getByRole('listitem', { name: `${name}.gguf`, exact: true })
const notice = (page: Page, code: string) => page.locator(`.notice[data-code=${code}]`)

/** Changes a byte of the model's first stored shard, as a disk might. */
function damage(page: Page, url: string): Promise<void> {
  return page.evaluate(async (id) => {
    const settled = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result)
        request.onerror = () => reject(request.error)
      })
    const database = await settled(indexedDB.open('brasa'))
    const records = () => database.transaction('records', 'readwrite').objectStore('records')
    const { manifest } = await settled(records().get(`model/${id}`))
    const key = `shard/${manifest.files[0].shards[0].sha256}`
    const bytes = new Uint8Array(await (await settled<Blob>(records().get(key))).arrayBuffer())
    bytes[bytes.length - 9]! ^= 1
    await settled(records().put(new Blob([bytes]), key))
    database.close()
  }, url)
}

test('a damaged part is noticed and fetched again; without a connection it says so, and one click repairs it', async ({
  page,
  context,
}) => {
  await open(page)
  const [hurt, other] = [await publish('hurt'), await publish('other')]
  await add(page, hurt)
  await add(page, other)
  await talk(page)

  await damage(page, hurt)
  await page.goto('/#models')
  await page.getByRole('button', { name: 'Use hurt.gguf' }).click()
  await expect(row(page, 'hurt')).toContainText('In use')
  await page.goto('/#chat')
  await expect(notice(page, 'shard_repaired')).toContainText(
    'A stored part of hurt.gguf was damaged, and was fetched again',
  )

  await page.goto('/#models')
  await page.getByRole('button', { name: 'Use other.gguf' }).click()
  await expect(row(page, 'other')).toContainText('In use')
  await damage(page, hurt)
  await context.setOffline(true)
  await page.getByRole('button', { name: 'Use hurt.gguf' }).click()
  const alert = row(page, 'hurt').getByRole('alert')
  await expect(alert).toContainText('You are offline')
  await expect(alert).toContainText('A part of hurt.gguf on this device is damaged')
  await expect(alert.getByRole('button', { name: 'Take other.gguf' })).toBeVisible()
  // The server is gone, and the connection is not, which the page notices: one click once both are back.
  const { bytes } = server.files.get('/hurt.gguf')!
  server.files.delete('/hurt.gguf')
  await context.setOffline(false)
  await expect(alert).toContainText('A part of hurt.gguf is damaged')
  await alert.getByRole('button', { name: 'Fetch it again' }).click()
  await expect(alert).toContainText('A part of hurt.gguf is damaged')
  await expect(alert.getByRole('button', { name: 'Fetch it again' })).toBeEnabled()
  server.files.set('/hurt.gguf', { bytes })
  await press(page, alert.getByRole('button', { name: 'Fetch it again' }))
  await expect(row(page, 'hurt')).toContainText('In use')
  await expectChatKept(page)
})

test('storage that is emptied under the page is told, and one click keeps the model again', async ({
  page,
}) => {
  await open(page)
  await add(page, await publish('gone'))
  await page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const request = indexedDB.deleteDatabase('brasa')
        request.onsuccess = resolve
        request.onerror = reject
      }),
  )
  await talk(page)
  await expect(notice(page, 'model_gone')).toContainText(
    'The browser’s storage was emptied: gone is no longer kept on this device.',
  )
  await pressButton(page, 'Keep it here')
  await expect(notice(page, 'model_gone')).toHaveCount(0)
  await expect(page.getByLabel('Model state')).toHaveText('On this device')
  await page.reload()
  await expect(page.getByLabel('Model state')).toHaveText('On this device')
  await expectChatKept(page)
})

test('a second tab that wants the same model waits, says so, and fetches nothing twice', async ({
  context,
}) => {
  const pages = await Promise.all([context.newPage(), context.newPage()])
  const [first, second] = pages as [Page, Page]
  await open(first)
  await add(first, await publish('earlier'))
  await talk(first)
  const url = await publish('shared')
  for (const page of pages) {
    await open(page)
    await expect(row(page, 'earlier')).toContainText('In use')
    await page.getByLabel('Address of a model').fill(url)
    await page.getByRole('button', { name: 'Look', exact: true }).click()
    await expect(page.getByRole('button', { name: /^Download/ })).toBeVisible()
  }
  const before = server.bytesSent
  server.hold()
  await first.getByRole('button', { name: /^Download/ }).click()
  await expect(first.getByRole('button', { name: 'Cancel' })).toBeVisible()
  await expect
    .poll(() => first.evaluate(async () => (await navigator.locks.query()).held?.map(({ name }) => name)))
    .toContain(`brasa/model/${url}`)
  await second.getByRole('button', { name: /^Download/ }).click()
  await expect(second.getByText('Waiting for another tab')).toBeVisible()
  await expect(second.getByText(/Another tab is loading shared.gguf/)).toBeVisible()
  server.letGo()
  for (const page of pages) await expect(row(page, 'shared')).toContainText('In use')
  // The header was read once more before the download; the second tab fetched none of it.
  expect(server.bytesSent - before).toBeLessThan(2.5 * server.files.get('/shared.gguf')!.bytes.length)
  for (const page of pages) await expectChatKept(page)
})

test('a model that cannot fit is refused before it is fetched, with figures and what to take instead', async ({
  page,
}) => {
  server.files.set('/huge.gguf', await hugeModelHeader())
  await open(page)
  await add(page, await publish('small'))
  await talk(page)
  await page.goto('/#models')
  await page.getByLabel('Address of a model').fill(`${server.origin}/huge.gguf`)
  await page.getByRole('button', { name: 'Look', exact: true }).click()
  await expect(page.getByText(/On WebAssembly this model takes .* MiB/)).toBeVisible()
  await page.getByRole('button', { name: /^Download \d+ GB/ }).click()
  const alert = page.getByRole('alert').filter({ hasText: 'too large for this device' })
  await expect(alert).toContainText(/takes [\d,]+ MiB .* at most 4,096 MiB/)
  await expect(alert).toContainText('Qwen2.5-Coder 0.5B Instruct (491 MB) fits here.')
  await expect(alert.getByRole('button', { name: 'Take Qwen2.5-Coder 0.5B Instruct' })).toBeVisible()
  expect(server.bytesSent).toBeLessThan(20e6)
  await expectChatKept(page)
  await page.reload()
  await expectChatKept(page)
})

test('offline, a model that is not here is said to be missing, and one that is here is offered', async ({
  page,
  context,
}) => {
  await open(page)
  await add(page, await publish('here'))
  await talk(page)
  await page.goto('/#models')
  await context.setOffline(true)
  await page.getByRole('button', { name: 'Load Qwen2.5-Coder 0.5B Instruct' }).click()
  const alert = page.getByRole('alert').filter({ hasText: 'You are offline' })
  await expect(alert).toContainText('Qwen2.5-Coder 0.5B Instruct is not on this device')
  await press(page, alert.getByRole('button', { name: 'Take here.gguf' }))
  await expect(row(page, 'here')).toContainText('In use')
  await expectChatKept(page)
})

test.describe('where the browser gives little storage, or none', () => {
  // One takes room for what it keeps, and would answer for the worker, whose script is changed on its way.
  test.use({ serviceWorkers: 'block' })

  test('full storage makes room with what was not used for longest; what is pinned stays, and the model runs from memory', async ({
    baseURL,
  }) => {
    test.setTimeout(240_000)
    // On a disk: what is deleted from a context in memory goes on counting.
    const { launchOptions } = test.info().project.use
    const context = await chromium.launchPersistentContext(test.info().outputPath('profile'), {
      ...launchOptions,
      serviceWorkers: 'block',
      ...(baseURL !== undefined && { baseURL }),
    })
    const page = context.pages()[0] ?? (await context.newPage())
    const names = ['oldest', 'newer', 'third', 'fourth']
    // Long enough that what the browser writes besides does not count, and nothing that it could make smaller.
    const urls = await Promise.all(names.map((name) => publish(name, randomBytes(6e6).toString('base64'))))
    await open(page)
    for (const url of urls.slice(0, 2)) await add(page, url)
    await expect(row(page, 'oldest')).toBeVisible()
    await talk(page)
    await page.goto('/#models')
    // Room for half a model more.
    const { origin } = new URL(page.url())
    const devtools = await context.newCDPSession(page)
    const { usage } = await devtools.send('Storage.getUsageAndQuota', { origin })
    await devtools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: Math.round(1.25 * usage) })
    // IndexedDB goes by what it was told of the room there is for up to thirty seconds.
    await page.waitForTimeout(32_000)

    await startAdding(page, urls[2]!)
    await expect(row(page, 'third')).toContainText('In use')
    await expect(row(page, 'oldest')).toHaveCount(0)
    await page.goto('/#chat')
    await expect(notice(page, 'model_evicted')).toContainText('oldest.gguf')
    await expect(page.getByLabel('Model state')).toHaveText('On this device')
    await notice(page, 'model_evicted').getByRole('button', { name: 'See what is stored' }).click()

    await page.getByRole('button', { name: 'Pin newer.gguf', exact: true }).click()
    await page.getByRole('button', { name: 'Pin third.gguf', exact: true }).click()
    await expect(row(page, 'third')).toContainText('Pinned')
    await startAdding(page, urls[3]!)
    await page.goto('/#chat')
    await expect(notice(page, 'quota_exceeded')).toContainText('storage is full: the model runs from memory')
    await expect(page.getByLabel('Model state')).toHaveText('In memory only')
    await talk(page)
    await notice(page, 'quota_exceeded').getByRole('button', { name: 'See what is stored' }).click()
    for (const name of ['newer', 'third']) await expect(row(page, name)).toContainText('Pinned')
    await expectChatKept(page)
    await context.close()
  })

  test('a model runs from memory and says so', async ({ page, context }) => {
    const without = 'Object.defineProperty(globalThis, "indexedDB", { value: undefined });'
    await page.addInitScript(without)
    await context.route(/\/assets\/worker-[^/]*\.js$/, async (route) => {
      const response = await route.fetch()
      await route.fulfill({ response, body: `${without}${await response.text()}` })
    })
    await open(page)
    await page.getByLabel('Open a .gguf file').setInputFiles({
      ...{ name: 'private.gguf', mimeType: 'application/octet-stream' },
      buffer: await tinyModelBytes('private'),
    })
    await page.goto('/#chat')
    await expect(page.getByLabel('Model state')).toHaveText('In memory only')
    await expect(notice(page, 'storage_unavailable')).toContainText(
      'The browser gives this page no storage (IndexedDB), as some private windows do.',
    )
    await expect(
      notice(page, 'storage_unavailable').getByRole('button', { name: 'Understood' }),
    ).toBeVisible()
    await talk(page)
    await expectChatKept(page)
  })
})
