import { readFile } from 'node:fs/promises'
import { expect, type Page, test } from '@playwright/test'
import { loadTimeoutMs } from './chat-page.ts'
import { type FileServer, serveFiles } from './file-server.ts'
import { chooseFiles, chooseOption, press, pressButton, tabTo, typeInto } from './keys.ts'
import { addingModelBytes, talkativeModelBytes } from './tiny-model.ts'

// What keyboard.spec.ts and the specs of the single parts leave: pages and buttons that a person without a pointer needs as well.

let server: FileServer
test.beforeAll(async () => {
  server = await serveFiles()
})
test.afterAll(() => server.close())

test('without a pointer: an ONNX model is fetched on the second try, fed, run, closed and opened from a file', async ({
  page,
}) => {
  await page.goto('/#onnx')
  await typeInto(page, page.getByLabel('Address of an ONNX model'), `${server.origin}/adding.onnx`)
  await page.keyboard.press('Enter')
  const alert = page.getByRole('alert')
  await expect(alert).toContainText('Check the address: there is no such file.')
  server.files.set('/adding.onnx', { bytes: addingModelBytes() })
  await pressButton(page, 'Try again')
  await expect(page.getByText('float32 [rows, 2]').first()).toBeVisible({ timeout: loadTimeoutMs })

  await chooseOption(page, page.getByLabel('Fill x with'), 'Typed')
  await typeInto(page, page.getByLabel('Values of x'), '1, 2, 3')
  await pressButton(page, 'Run')
  await expect(alert).toContainText('"x" takes 2 values, or one for all; 3 are typed.')
  await typeInto(page, page.getByLabel('rows', { exact: true }), '2')
  await typeInto(page, page.getByLabel('Values of x'), '1, 2, 3, 4')
  await pressButton(page, 'Run')
  await expect(page.getByText('11, 22, 13, 24')).toBeVisible()
  await expect(page.getByText(/^Took /)).toBeVisible()

  await pressButton(page, 'Close adding.onnx')
  await tabTo(page, page.getByLabel('Open an .onnx file'))
  await chooseFiles(page, () => page.keyboard.press('Enter'), {
    name: 'mine.onnx',
    mimeType: '',
    buffer: addingModelBytes(),
  })
  await expect(page.getByRole('button', { name: 'Close mine.onnx' })).toBeVisible()
})

test('without a pointer: the search model is fetched, and a text searched by meaning', async ({ page }) => {
  await page.goto('/#onnx')
  await pressButton(page, 'Use an example')
  await pressButton(page, 'Load search model')
  await expect(page.getByText('Ready. Type what to look for.')).toBeVisible({ timeout: loadTimeoutMs })
  await page.keyboard.press('/')
  await expect(page.getByLabel('What to look for')).toBeFocused()
  await page.keyboard.type('a mountain in Asia')
  const results = page.getByRole('list', { name: 'Results' }).getByRole('listitem')
  await expect(results.first()).toContainText('Mount Fuji')
})

test('without a pointer: the benchmark is stopped before and after it has a figure, which can be taken along', async ({
  page,
}) => {
  test.setTimeout(2 * loadTimeoutMs)
  await page.goto('/bench.html')
  const choose = (name: string) => press(page, page.getByRole('checkbox', { name, exact: true }), 'Space')
  await choose('WebGPU')
  await expect(page.getByRole('button', { name: 'Run', exact: true })).toBeDisabled()
  await choose('CPU (WebAssembly)')
  const others = ['Prefill, 128 tokens', 'Decode, 64 tokens', 'First token of 32', 'Load from storage']
  for (const name of [...others, 'Decode, 128 tokens']) await choose(name)

  await pressButton(page, 'Run')
  await pressButton(page, 'Stop')
  await expect(page.getByText('Nothing measured yet')).toBeVisible()
  await pressButton(page, 'Run')
  const figures = page.getByRole('row', { name: /Decode, 128 tokens .*tokens\/s/ })
  await expect(figures).toBeVisible({ timeout: loadTimeoutMs })
  await page.keyboard.press('Escape')

  const download = page.waitForEvent('download')
  await pressButton(page, 'Download JSON')
  await expect(figures).toBeVisible()
  const measured = JSON.parse(await readFile(await (await download).path(), 'utf8'))
  expect(measured.systems).toMatchObject([{ id: 'brasa-wasm', status: 'ok' }])
  const { runs } = measured.systems[0].tests.tg128
  expect(runs[0]).toMatchObject({ round: 1, answerTokens: 128 })
  // Three would be all of them.
  expect(runs.length).toBeLessThan(3)
})

test('without a pointer: the browser is asked to keep what is stored, and its answer is told', async ({
  page,
  context,
  baseURL,
}) => {
  await page.goto('/#models')
  await pressButton(page, 'Ask to keep it')
  await expect(page.getByText(/^The browser said no\./)).toBeVisible()
  const devtools = await context.newCDPSession(page)
  const { targetInfo } = await devtools.send('Target.getTargetInfo')
  await devtools.send('Browser.grantPermissions', {
    ...{ origin: new URL(baseURL!).origin, permissions: ['durableStorage'] },
    ...(targetInfo.browserContextId && { browserContextId: targetInfo.browserContextId }),
  })
  await pressButton(page, 'Ask to keep it')
  await expect(page.getByText('Kept until you remove it.')).toBeVisible()
  await expect(page.getByText(/^The browser said no\./)).toHaveCount(0)
})

/** Answers from the CPU that do not end by themselves. */
async function answerAtLength(page: Page): Promise<void> {
  await page.addInitScript(() => {
    localStorage.setItem('brasa.backend', '"wasm"')
    localStorage.setItem('brasa.settings', JSON.stringify({ temperature: 0, maxTokens: 32_768 }))
  })
}

test('without a pointer: what failed is tried again, be it a look, a load, or an answer', async ({
  page,
}) => {
  const bytes = await talkativeModelBytes('talker')
  await answerAtLength(page)
  await page.goto('/#models')
  await typeInto(page, page.getByLabel('Address of a model'), `${server.origin}/talker.gguf`)
  await page.keyboard.press('Enter')
  const about = page.getByRole('region', { name: 'About talker.gguf' })
  await expect(about.getByRole('alert')).toContainText('there is no such file')
  server.files.set('/talker.gguf', { bytes })
  await press(page, about.getByRole('button', { name: 'Try again' }))
  await expect(about.getByRole('button', { name: /^Download/ })).toBeVisible()

  server.files.delete('/talker.gguf')
  await press(page, about.getByRole('button', { name: /^Download/ }))
  const failed = page.getByRole('alert').filter({ hasText: 'The model could not be loaded' })
  await expect(failed).toContainText('there is no such file')
  server.files.set('/talker.gguf', { bytes })
  await press(page, failed.getByRole('button', { name: 'Try again' }))
  await pressButton(page, 'Chat with talker.gguf')

  await page.keyboard.press('/')
  await page.keyboard.type('Go on and on')
  await page.keyboard.press('Enter')
  const answer = page.locator('[data-role=answer]').last()
  await expect(answer).toHaveAttribute('data-state', 'streaming')
  // A thread that waits for work does not hear this; the one that gives it does.
  for (const worker of page.workers()) void worker.evaluate(() => close()).catch(() => undefined)
  const lost = page.locator('[role=alert][data-code=worker_lost]')
  await press(page, lost.getByRole('button', { name: 'Reload model' }))
  await expect(lost).toHaveCount(0)
  await expect(answer).toHaveAttribute('data-state', 'streaming')
  await page.keyboard.press('Escape')
  await expect(page.getByText('Stopped')).toBeVisible()
})
