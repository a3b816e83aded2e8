import { createHash } from 'node:crypto'
import { type BrowserContext, expect, type Page, test } from '@playwright/test'
import { type FileServer, serveFiles } from './file-server.ts'
import { chooseFiles, pressButton, tabTo, typeInto } from './keys.ts'
import { splitModelFiles, tinyModelBytes } from './tiny-model.ts'

let server: FileServer
test.beforeAll(async () => {
  server = await serveFiles()
})
test.afterAll(() => server.close())

/** Short answers from the CPU, which starts soonest here. */
async function openModels(page: Page): Promise<void> {
  await page.addInitScript(() => {
    localStorage.setItem('brasa.backend', '"wasm"')
    localStorage.setItem('brasa.settings', JSON.stringify({ temperature: 0, maxTokens: 12 }))
  })
  await page.goto('/#models')
  await expect(page.getByRole('heading', { level: 1, name: 'Models' })).toBeVisible()
}

async function publish(name: string): Promise<string> {
  server.files.set(`/${name}.gguf`, { bytes: await tinyModelBytes(name) })
  return `${server.origin}/${name}.gguf`
}

async function lookAt(page: Page, address: string): Promise<void> {
  await typeInto(page, page.getByLabel('Address of a model'), address)
  await page.keyboard.press('Enter')
}

const row = (page: Page, name: string) => page.getByRole('listitem', { name, exact: true })

/** The hub, as it answers about one repository; `lies` is what it says of a file's hash. */
async function beHub(context: BrowserContext, files: Record<string, Buffer>, lies?: string): Promise<void> {
  await context.route('https://huggingface.co/**', async (route) => {
    const { pathname } = new URL(route.request().url())
    const headers = { 'Access-Control-Allow-Origin': '*' }
    if (pathname === '/api/models/owner/repo/revision/main') {
      const siblings = Object.entries(files).map(([rfilename, bytes]) => ({
        rfilename,
        size: bytes.length,
        lfs: { size: bytes.length, sha256: lies ?? createHash('sha256').update(bytes).digest('hex') },
      }))
      return route.fulfill({ json: { id: 'owner/repo', siblings }, headers })
    }
    const name = pathname.split('/').at(-1)!
    const bytes = files[name]
    if (bytes === undefined) return route.fulfill({ status: 404, headers })
    server.files.set(`/${name}`, { bytes })
    const response = await route.fetch({ url: `${server.origin}/${name}` })
    return route.fulfill({ response })
  })
}

test('by keys alone a model is added by its address, pinned, kept from removal, and removed', async ({
  page,
}) => {
  await openModels(page)
  const url = await publish('by-address')
  await lookAt(page, url)
  await pressButton(page, /^Download/)
  await expect(page.getByRole('button', { name: 'Chat with by-address.gguf' })).toBeVisible()
  await expect(row(page, 'by-address.gguf')).toContainText('In use')
  await expect(row(page, 'by-address.gguf')).toContainText(/Fits here: about .* of memory on/)

  await pressButton(page, 'Pin by-address.gguf')
  await expect(row(page, 'by-address.gguf')).toContainText('Pinned')
  await pressButton(page, 'Unpin by-address.gguf', 'Space')
  await expect(page.getByRole('button', { name: 'Pin by-address.gguf' })).toBeVisible()

  // A real answer leaves its measure.
  await pressButton(page, 'Chat with by-address.gguf')
  await tabTo(page, page.getByLabel('Message'))
  await page.keyboard.type('Hello')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('article', { name: 'Answer' })).toHaveAttribute('aria-busy', 'false')
  await page.goto('/#models')
  await expect(row(page, 'by-address.gguf')).toContainText(/tokens\/s on WebAssembly, /)

  await pressButton(page, 'Remove by-address.gguf')
  await expect(page.getByRole('button', { name: 'Keep', exact: true })).toBeFocused()
  await page.keyboard.press('Escape')
  await expect(page.getByRole('button', { name: 'Remove by-address.gguf' })).toBeFocused()
  await page.keyboard.press('Enter')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await expect(row(page, 'by-address.gguf')).toHaveCount(0)
  await expect(page.getByRole('heading', { level: 1 })).toBeFocused()
})

test('by keys alone a model comes from the hub, which says what it must be', async ({ page, context }) => {
  const bytes = await tinyModelBytes('from-hub')
  await beHub(context, { 'from-hub.gguf': bytes })
  await openModels(page)
  await lookAt(page, 'hf:owner/repo/no-such.gguf')
  await expect(
    page.getByText(/There is no no-such.gguf in that repository. It has: from-hub.gguf/),
  ).toBeVisible()
  await lookAt(page, 'hf:owner/repo/from-hub.gguf')
  await pressButton(page, /^Download/)
  await expect(row(page, 'from-hub.gguf')).toContainText('In use')

  await context.unroute('https://huggingface.co/**')
  await beHub(context, { 'forged.gguf': bytes }, 'ab'.repeat(32))
  await lookAt(page, 'hf:owner/repo/forged.gguf')
  await pressButton(page, /^Download/)
  const alert = page.getByRole('alert').filter({ hasText: 'forged.gguf' })
  await expect(alert).toContainText('is damaged')
  await expect(alert).toContainText('ab'.repeat(32))
  await expect(alert.getByRole('button', { name: 'Fetch it again' })).toBeVisible()
})

test('by keys alone a file is opened, and the parts of one; a load is cancelled and goes on', async ({
  page,
}) => {
  await openModels(page)
  const choose = async (files: { name: string; bytes: Buffer }[]) => {
    await tabTo(page, page.getByLabel('Open a .gguf file'))
    await chooseFiles(
      page,
      () => page.keyboard.press('Enter'),
      files.map(({ name, bytes }) => ({ name, mimeType: 'application/octet-stream', buffer: bytes })),
    )
  }
  await choose([{ name: 'mine.gguf', bytes: await tinyModelBytes('mine') }])
  await expect(row(page, 'mine.gguf')).toContainText('In use')

  // In whatever order they come.
  await choose((await splitModelFiles('parts')).reverse())
  await expect(row(page, 'parts.gguf')).toContainText('In use')

  const url = await publish('slow')
  server.hold()
  await lookAt(page, url)
  await expect(page.getByText('Reading what the model is…')).toBeVisible()
  server.letGo()
  await expect(page.getByRole('button', { name: /^Download/ })).toBeVisible()
  server.hold()
  await pressButton(page, /^Download/)
  await expect(page.getByRole('progressbar', { name: 'Loading the model' })).toBeVisible()
  await pressButton(page, 'Cancel')
  await expect(page.getByRole('progressbar', { name: 'Loading the model' })).toHaveCount(0)
  server.letGo()

  // After a reload all is there, and a model of two parts is used by one key.
  await page.reload()
  await pressButton(page, 'Use mine.gguf')
  await expect(row(page, 'mine.gguf')).toContainText('In use')
  await pressButton(page, 'Use parts.gguf')
  await expect(row(page, 'parts.gguf')).toContainText('In use')
})

test('by keys alone two models are compared, stopped, swapped and asked again', async ({ page }) => {
  await openModels(page)
  for (const name of ['first', 'second']) {
    await lookAt(page, await publish(name))
    await pressButton(page, /^Download/)
    await expect(row(page, `${name}.gguf`)).toContainText('In use')
  }
  await pressButton(page, 'Compare two models')
  const [a, b] = [
    page.getByRole('region', { name: 'Model A' }),
    page.getByRole('region', { name: 'Model B' }),
  ]
  await expect(page.getByText(/Together about .* of memory/)).toBeVisible()
  for (const pane of [a, b]) {
    await tabTo(page, pane.getByLabel('Runs on'))
    await page.keyboard.type('CPU (Web')
    await expect(pane.getByLabel('Runs on')).toHaveValue('wasm')
  }
  await tabTo(page, page.getByLabel('Prompt for both'))
  await page.keyboard.type('Say something')
  await page.keyboard.press('Enter')
  const answers = page.locator('[data-role=compared]')
  for (const pane of [a, b]) {
    await expect(pane.getByRole('article')).toHaveAttribute('data-state', 'done')
    await expect(pane).toContainText(/First after .* s/)
    await expect(pane).toContainText(/\d tokens/)
  }
  await expect(answers).toHaveCount(2)
  const model = a.getByRole('combobox').first()
  const before = await model.inputValue()
  await pressButton(page, 'Swap')
  await expect(model).not.toHaveValue(before)

  await tabTo(page, page.getByRole('radio', { name: 'One after the other' }))
  await page.keyboard.press('ArrowDown')
  await expect(page.getByRole('radio', { name: 'Both at once' })).toBeChecked()
  await pressButton(page, 'Again')
  for (const pane of [a, b]) await expect(pane.getByRole('article')).toHaveAttribute('data-state', 'done')

  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await pressButton(page, 'Copy comparison')
  const copied = await page.evaluate(() => navigator.clipboard.readText())
  expect(copied).toContain('Prompt: Say something')
  expect(copied.match(/tokens\/s · First after/g)).toHaveLength(2)
})

test('a comparison that the device cannot hold is refused with figures', async ({ page }) => {
  await page.addInitScript(() => {
    // A phone of a quarter of a gigabyte.
    Object.defineProperty(Navigator.prototype, 'deviceMemory', { get: () => 0.0001 })
  })
  await openModels(page)
  await lookAt(page, await publish('heavy'))
  await pressButton(page, /^Download/)
  await expect(row(page, 'heavy.gguf')).toContainText('In use')
  await expect(row(page, 'heavy.gguf')).toContainText('Too large for this device')
  await pressButton(page, 'Compare two models')
  await expect(page.getByText(/These two would take about .* and this device has/)).toBeVisible()
  await page.getByLabel('Prompt for both').fill('Hello')
  await expect(page.getByRole('button', { name: 'Ask both' })).toBeDisabled()
  await expect(page.getByRole('button', { name: 'Put the chat’s model away' })).toBeVisible()
})
