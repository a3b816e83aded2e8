import { readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, type Page, test } from '@playwright/test'
import { ask, expectReady, lastAnswer, loadTimeoutMs, longTask, openLoadedChat } from './chat-page.ts'
import { serveBelow } from './static-host.ts'

/** Answers on WebAssembly from the build's own console page. */
function answerOnWasm(page: Page) {
  return page.evaluate(async () => {
    // biome-ignore lint/suspicious/noExplicitAny: the page's own global
    const { createEngine } = (globalThis as any).brasa
    const threads = Math.min(8, navigator.hardwareConcurrency)
    const engine = await createEngine({
      model: 'smollm2-135m-instruct',
      backend: 'wasm',
      precision: 'f32',
      threads,
    })
    const { choices } = await engine.chat.completions.create({
      messages: [{ role: 'user', content: 'What is the capital of France?' }],
      temperature: 0,
      max_tokens: 16,
    })
    const { backend, features } = engine.device
    await engine.dispose()
    return { isolated: crossOriginIsolated, threads, backend, features, answer: choices[0].message.content }
  })
}

/** Bytes of scripts among `files`, gzipped, but for the worker's own and what it imports in any case. */
function backendBytes(files: readonly string[]): number {
  const worker = files.find((file) => /^worker-.*\.js$/.test(basename(file)))
  if (worker === undefined) throw new Error('No worker was asked for.')
  const imported = readFileSync(worker, 'utf8').matchAll(/(?:from|import)"\.\/([^"]+\.js)"/g)
  const shared = new Set([worker, ...[...imported].map(([, name]) => join(dirname(worker), name!))])
  return files
    .filter((file) => file.endsWith('.js') && !shared.has(file))
    .reduce((sum, file) => sum + gzipSync(readFileSync(file), { level: 9 }).length, 0)
}

for (const isIsolated of [true, false]) {
  test(`on a static host, below a path and ${isIsolated ? 'cross-origin isolated' : 'with no headers'}, WebAssembly answers`, async ({
    page,
  }) => {
    test.setTimeout(2 * loadTimeoutMs)
    const host = await serveBelow('/people/brasa/', { isIsolated })
    try {
      await page.goto(`${host.url}bench.html`)
      await page.waitForFunction(() => 'brasa' in globalThis)
      const before = new Set(host.sent)
      const { isolated, threads, backend, features, answer } = await answerOnWasm(page)
      expect(answer).toBe('The capital of France is Paris.')
      expect({ isolated, backend }).toEqual({ isolated: isIsolated, backend: 'wasm' })
      expect(features.includes('threads')).toBe(isIsolated && threads > 1)
      const byteLength = backendBytes([...host.sent].filter((file) => !before.has(file)))
      console.info(`WebAssembly's scripts: ${(byteLength / 1000).toFixed(1)} kB gzipped`)
      expect(byteLength).toBeGreaterThan(20_000)
      expect(byteLength).toBeLessThanOrEqual(60_000)
    } finally {
      await host.close()
    }
  })
}

const runningOn = (page: Page) => page.getByRole('region', { name: 'Running on' })
const figures =
  /WebAssembly was [\d.]+ times faster than WebGPU here: [\d.]+ ms against [\d.]+ ms for one layer\./

test('where the GPU is software, auto takes WebAssembly, says both figures, and remembers them', async ({
  page,
}) => {
  test.setTimeout(3 * loadTimeoutMs)
  await openLoadedChat(page, 'auto')
  await expect(runningOn(page)).toContainText('WebAssembly on ')
  await expect(async () => {
    // A GPU whose kernels were late the first time counts from the second.
    if (!figures.test((await runningOn(page).textContent()) ?? '')) await page.reload()
    await expectReady(page)
    await expect(runningOn(page)).toContainText(figures, { timeout: 1000 })
  }).toPass({ timeout: loadTimeoutMs })
  const said = await runningOn(page).getByText(figures).textContent()
  await page.reload()
  await expectReady(page)
  await expect(runningOn(page)).toContainText(said!)
  await ask(page, 'What is the capital of France?')
  expect(await lastAnswer(page)).toBe('The capital of France is Paris.')
  const { shown, computed } = await rates(page)
  console.info(`In the chat ${shown.toFixed(0)} tokens/s; by the engine's clock ${computed.toFixed(0)}`)
  expect(shown / computed).toBeGreaterThan(0.8)
})

/** Tokens a second of a long answer: as the chat shows them, by the page's clock, and as the engine says it computed them. */
async function rates(page: Page): Promise<{ shown: number; computed: number }> {
  const article = page.getByRole('article', { name: 'Answer' }).last()
  const before = await article.elementHandle()
  await ask(page, longTask)
  const seconds = page.evaluate(async (old) => {
    const answers = () => [...document.querySelectorAll('article[aria-label="Answer"]')]
    const until = async <T>(find: () => T | undefined | false) => {
      for (;;) {
        const found = find()
        if (found) return found
        await new Promise((resolve) => setTimeout(resolve, 4))
      }
    }
    const answer = await until(() => answers().at(-1) !== old && answers().at(-1))
    await until(() => answer.querySelector('[data-role=answer]')?.textContent?.trim() !== '')
    const first = performance.now()
    await until(() => answer.getAttribute('aria-busy') === 'false')
    return (performance.now() - first) / 1000
  }, before)
  await expect(article.locator('[data-role=answer]')).toContainText(/(\S+\s+){120}/, {
    timeout: loadTimeoutMs,
  })
  await page.getByRole('button', { name: 'Stop' }).click()
  const shownFor = await seconds
  const said = (await article.locator('.stat-figures').textContent()) ?? ''
  const [, numTokens] = /([\d,]+) tokens(?!\/)/.exec(said) ?? []
  const [, perSecond] = /([\d.,]+) tokens\/s/.exec(said) ?? []
  return {
    shown: (Number(numTokens?.replace(',', '')) - 1) / shownFor,
    computed: Number(perSecond?.replace(',', '')),
  }
}

interface TraceEvent {
  readonly name: string
  readonly pid: number
  readonly tid: number
  readonly args?: { readonly name?: string }
  /** Microseconds of CPU. */
  readonly tdur?: number
}

/** Milliseconds of CPU that each task of the pages' main threads took: what other programs do meanwhile is not in it. */
function mainThreadTasks(trace: Buffer): readonly number[] {
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: readonly TraceEvent[] }
  const mainThreads = new Set(
    traceEvents
      .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
      .map(({ pid, tid }) => `${pid} ${tid}`),
  )
  return traceEvents
    .filter(({ name, pid, tid }) => /RunTask$/.test(name) && mainThreads.has(`${pid} ${tid}`))
    .flatMap(({ tdur }) => (tdur === undefined ? [] : [tdur / 1000]))
}

test('typing and scrolling stay smooth while WebAssembly streams', async ({ page, browser }) => {
  test.setTimeout(2 * loadTimeoutMs)
  await openLoadedChat(page, 'wasm')
  await ask(page, longTask)
  const text = page.locator('[data-role=answer]').last()
  await expect(text).toContainText(/\w+ \w+/)

  await browser.startTracing(page, { categories: ['toplevel', 'devtools.timeline'] })
  const before = (await text.textContent())!.length
  const draft = 'And what did the captain say when the ship came home?'
  await page.getByLabel('Message').pressSequentially(draft, { delay: 30 })
  for (let turn = 0; turn < 10; turn++) {
    await page.mouse.wheel(0, turn % 2 === 0 ? -200 : 200)
    await page.waitForTimeout(100)
  }
  await expect(page.getByLabel('Message')).toHaveValue(draft)
  expect((await text.textContent())!.length).toBeGreaterThan(before)
  const tasks = mainThreadTasks(await browser.stopTracing())
  expect(tasks.length).toBeGreaterThan(100)
  expect(Math.max(...tasks)).toBeLessThan(50)
})
