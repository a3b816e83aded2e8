import { writeFile } from 'node:fs/promises'
import { expect, type Page, test } from '@playwright/test'
import { answerGreedily, ask, expectReady, lastAnswer, loadTimeoutMs } from './chat-page.ts'
import { type ModelServer, readModelFile, serveModel } from './model-server.ts'

/** One shard: what may be fetched twice when a connection or a tab dies. */
const shardBytes = 16 * 1024 * 1024
const prompt = '<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n'

/** Loads a model by its URL and returns the first tokens it answers with. */
function loadAndAnswer(page: Page, url: string): Promise<string> {
  return page.evaluate(
    async ({ url, prompt }) => {
      const { brasa } = globalThis as unknown as { brasa: typeof import('@brasa/runtime') }
      const engine = await brasa.createEngine({ model: url, backend: 'webgpu' })
      const answer = await engine.completions.create({ prompt, max_tokens: 7, temperature: 0 })
      await engine.dispose()
      return answer.choices[0]!.text
    },
    { url, prompt },
  )
}

test('a download whose connections drop at random bytes arrives whole', async ({ page }) => {
  test.setTimeout(2 * loadTimeoutMs)
  // Two of three answers are cut, somewhere between their first byte and their last.
  const server = await serveModel({
    dropAfter: (answer) => (answer % 3 === 0 ? undefined : Math.ceil(Math.random() * shardBytes)),
  })
  try {
    await page.goto('/bench.html')
    expect(await loadAndAnswer(page, server.url)).toContain('Paris')
    expect(server.numDropped).toBeGreaterThan(0)
    expect(server.bytesSent).toBeLessThan(2 * server.size)
  } finally {
    await server.close()
  }
})

test('a tab that is killed while it downloads loses no shard that arrived', async ({ page, context }) => {
  test.setTimeout(2 * loadTimeoutMs)
  // What comes after three shards never ends: the tab dies waiting for it.
  let held = true
  const server: ModelServer = await serveModel({
    dropAfter: () => (held && server.bytesSent > 3 * shardBytes ? 1 : undefined),
  })
  try {
    await page.goto('/bench.html')
    const loading = loadAndAnswer(page, server.url).catch(() => 'killed')
    await expect.poll(() => server.bytesSent, { timeout: loadTimeoutMs }).toBeGreaterThan(3 * shardBytes)
    await expect.poll(() => server.numDropped, { timeout: loadTimeoutMs }).toBeGreaterThan(0)
    await page.waitForTimeout(1000)
    await page.close()
    expect(await loading).toBe('killed')

    held = false
    const sentBefore = server.bytesSent
    const again = await context.newPage()
    await again.goto('/bench.html')
    expect(await loadAndAnswer(again, server.url)).toContain('Paris')
    expect(server.bytesSent - sentBefore).toBeLessThan(server.size - 2 * shardBytes)
  } finally {
    await server.close()
  }
})

test('a server without ranges is streamed whole', async ({ page }) => {
  test.setTimeout(2 * loadTimeoutMs)
  const server = await serveModel({ ignoresRanges: true })
  try {
    await page.goto('/bench.html')
    expect(await loadAndAnswer(page, server.url)).toContain('Paris')
    // Once whole; and what was on its way before the server heard that the header, read first, was enough.
    expect(server.bytesSent).toBeLessThan(1.5 * server.size)
  } finally {
    await server.close()
  }
})

test('two tabs that want the same model fetch it once', async ({ context }) => {
  test.setTimeout(2 * loadTimeoutMs)
  const server = await serveModel()
  try {
    const pages = await Promise.all([context.newPage(), context.newPage()])
    for (const page of pages) await page.goto('/bench.html')
    const answers = await Promise.all(pages.map((page) => loadAndAnswer(page, server.url)))
    for (const answer of answers) expect(answer).toContain('Paris')
    expect(server.bytesSent).toBeLessThan(1.1 * server.size)
  } finally {
    await server.close()
  }
})

test('a file that a person opens is a model like any other', async ({ page }, testInfo) => {
  test.setTimeout(2 * loadTimeoutMs)
  const path = testInfo.outputPath('my-model.gguf')
  await writeFile(path, readModelFile())
  await answerGreedily(page)
  await page.goto('/')
  await page.getByRole('button', { name: /^Models: / }).click()
  await page.locator('input[type=file]').setInputFiles(path)
  await expectReady(page)
  await ask(page, 'What is the capital of France?')
  expect(await lastAnswer(page)).toBe('The capital of France is Paris.')
})
