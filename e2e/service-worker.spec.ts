import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, type Page, test } from '@playwright/test'
import { tinyModelFile } from '../packages/runtime/src/backends/reference/tiny-model-file.ts'
import { serveBelow } from './static-host.ts'

const dist = fileURLToPath(new URL('../packages/runtime/dist', import.meta.url))

/** An engine that is told in the request what to answer: what is tested is the way to it and back. */
const script = `
import { registerBrasa } from './index.js'
globalThis.cancelled = 0
globalThis.pulled = 0
globalThis.asked = 0
globalThis.aborted = 0
const begun = new Promise((resolve) => (globalThis.begin = resolve))
const engine = {
  async fetch(request) {
    const { method, url, headers } = request
    const { pathname } = new URL(url)
    if (pathname.endsWith('/echo')) {
      const body = await request.text()
      return Response.json({ method, pathname, own: headers.get('x-own'), body, by: document.title }, { status: 418, headers: { 'x-request-id': 'one' } })
    }
    if (pathname.endsWith('/fail')) throw new Error('The engine gave up.')
    if (pathname.endsWith('/late')) {
      asked++
      request.signal.addEventListener('abort', () => aborted++)
      await Promise.race([begun, new Promise((resolve) => request.signal.addEventListener('abort', resolve))])
      return new Response(new ReadableStream())
    }
    if (pathname.endsWith('/nothing')) return new Response(null, { status: 204 })
    return new Response(new ReadableStream({
      async pull(controller) {
        pulled++
        await new Promise((resolve) => setTimeout(resolve, 5))
        controller.enqueue(new TextEncoder().encode('data: ' + pulled + '\\n\\n'))
        if (pathname.endsWith('/three') && pulled === 3) controller.close()
      },
      cancel() { cancelled++ },
    }))
  },
}
globalThis.registration = await registerBrasa(engine, { script: './service-worker.js' })
`

/** A real one, of a model that answers nonsense for as long as it may. */
const modelScript = `
import { createEngine, registerBrasa } from './index.js'
globalThis.engine = await createEngine({ model: new URL('tiny.gguf', location.href).href, backend: 'wasm' })
globalThis.registration = await registerBrasa(engine, { script: './service-worker.js' })
`

test.use({ serviceWorkers: 'allow' })

let host: Awaited<ReturnType<typeof serveBelow>>
let folder: string

test.beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'brasa-sw-'))
  cpSync(dist, folder, { recursive: true })
  const page = (code: string) => `<!doctype html><title>page</title><script type="module">${code}</script>`
  writeFileSync(join(folder, 'engine.html'), page(script))
  writeFileSync(join(folder, 'model.html'), page(modelScript))
  // Long enough that an answer is still being made when it is stopped.
  const endless = tinyModelFile('tiny.gguf', { 'llama.context_length': 50_000 })
  writeFileSync(join(folder, 'tiny.gguf'), Buffer.from(await endless.arrayBuffer()))
  writeFileSync(join(folder, 'other.html'), page(''))
  host = await serveBelow('/app/', { isIsolated: false, folder })
})
test.afterAll(async () => {
  await host.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Opens a page that has the engine, or would have it. */
async function openEngine(page: Page, title: string, isElected = true, file = 'engine'): Promise<void> {
  await page.goto(`${host.url}${file}.html`)
  await page.waitForFunction('globalThis.registration')
  if (isElected) await page.evaluate('registration.elected')
  await page.evaluate((name) => {
    document.title = name
  }, title)
}

const echo = (page: Page) =>
  page.evaluate(async () => {
    const response = await fetch('v1/echo?x=1', { method: 'POST', headers: { 'x-own': 'y' }, body: 'hello' })
    return { status: response.status, id: response.headers.get('x-request-id'), ...(await response.json()) }
  })

test('a page without the engine asks the page that has it', async ({ context }) => {
  const engine = await context.newPage()
  await openEngine(engine, 'first')
  expect(await engine.evaluate('registration.baseUrl')).toBe(`${host.url}v1`)
  const other = await context.newPage()
  await other.goto(`${host.url}other.html`)
  for (const page of [other, engine]) {
    expect(await echo(page)).toEqual({
      ...{ status: 418, id: 'one', method: 'POST', pathname: '/app/v1/echo', own: 'y' },
      ...{ body: 'hello', by: 'first' },
    })
  }
  const status = (path: string) => other.evaluate(async (each) => (await fetch(each)).status, path)
  expect(await status('v1/nothing')).toBe(204)
  expect(await status('v1/fail')).toBe(503)
  expect(await status('other.html')).toBe(200)
  expect(await status('v2/echo')).toBe(404)
})

test('a body comes as it is made, and is stopped when nobody wants it', async ({ context }) => {
  const engine = await context.newPage()
  await openEngine(engine, 'first')
  const other = await context.newPage()
  await other.goto(`${host.url}other.html`)
  expect(await other.evaluate(async () => (await fetch('v1/three')).text())).toBe(
    'data: 1\n\ndata: 2\n\ndata: 3\n\n',
  )

  await other.evaluate(async () => {
    const reader = (await fetch('v1/endless')).body!.getReader()
    await reader.read()
    Object.assign(globalThis, { reader })
  })
  await other.evaluate('reader.cancel()')
  await expect.poll(() => engine.evaluate('cancelled')).toBe(1)

  const aborted = await other.evaluate(async () => {
    const controller = new AbortController()
    const response = await fetch('v1/endless', { signal: controller.signal })
    controller.abort()
    return response.text().catch((error: Error) => error.name)
  })
  expect(aborted).toBe('AbortError')
  await expect.poll(() => engine.evaluate('cancelled')).toBe(2)
})

/** Locks of this origin that somebody waits for: the service worker waits for the page's as long as it answers. */
const numWaiting = (page: Page) =>
  page.evaluate(async () => (await navigator.locks.query()).pending?.length ?? 0)

test('what is stopped before it is answered stops the engine, and nothing waits for it any more', async ({
  context,
}) => {
  const engine = await context.newPage()
  await openEngine(engine, 'first')
  const other = await context.newPage()
  await other.goto(`${host.url}other.html`)
  const count = 3
  await other.evaluate((times) => {
    const controller = new AbortController()
    const asked = Array.from({ length: times }, () => fetch('v1/late', { signal: controller.signal }))
    const names = Promise.all(asked.map((each) => each.catch((error: Error) => error.name)))
    Object.assign(globalThis, { controller, names })
  }, count)
  await expect.poll(() => engine.evaluate('asked')).toBe(count)
  expect(await numWaiting(other)).toBe(count)
  await other.evaluate('controller.abort()')
  expect(await other.evaluate('names')).toEqual(Array(count).fill('AbortError'))
  // Chromium says so no earlier than the answer begins.
  await engine.evaluate('begin()')
  await expect.poll(() => engine.evaluate('aborted')).toBe(count)
  await expect.poll(() => numWaiting(other)).toBe(0)
  expect((await echo(other)).status).toBe(418)
  await expect.poll(() => numWaiting(other)).toBe(0)
})

test('a whole answer that is stopped stops the model', async ({ context }) => {
  const page = await context.newPage()
  await openEngine(page, 'model', true, 'model')
  /** Of the answers so far, how many were being made, and how many were broken off. */
  const metrics = () =>
    page.evaluate(async () => {
      const { engine } = globalThis as unknown as { engine: { fetch: typeof fetch } }
      const text = await (await engine.fetch('/metrics')).text()
      const count = (name: string) => Number(text.split(`\n${name} `)[1]?.split('\n')[0] ?? 0)
      return {
        running: count('brasa_requests_running'),
        /** What ends by itself is no proof. */
        ended: count('brasa_answers_total{finished_reason="length"}'),
        aborted: count('brasa_answers_total{finished_reason="abort"}'),
      }
    })
  await page.evaluate(() => {
    const controller = new AbortController()
    const messages = [{ role: 'user', content: 'a' }]
    const body = JSON.stringify({ messages, ignore_eos: true })
    const asked = fetch('v1/chat/completions', { method: 'POST', body, signal: controller.signal })
    const outcome = asked.then((response) => response.json()).catch((error: Error) => error.name)
    Object.assign(globalThis, { controller, outcome })
  })
  await expect.poll(metrics).toEqual({ running: 1, ended: 0, aborted: 0 })
  await page.evaluate('controller.abort()')
  expect(await page.evaluate('outcome')).toBe('AbortError')
  await expect.poll(metrics).toEqual({ running: 0, ended: 0, aborted: 1 })
})

test('when the page with the engine is closed, its streams end and another page takes over', async ({
  context,
}) => {
  const first = await context.newPage()
  await openEngine(first, 'first')
  const second = await context.newPage()
  await openEngine(second, 'second', false)
  const other = await context.newPage()
  await other.goto(`${host.url}other.html`)
  const broken = other.evaluate(async () => {
    const response = await fetch('v1/endless')
    Object.assign(globalThis, { started: true })
    return response.text().then(
      () => 'ended',
      () => 'broken',
    )
  })
  await other.waitForFunction('globalThis.started')
  expect((await echo(other)).by).toBe('first')
  await first.close()
  expect(await broken).toBe('broken')
  await second.evaluate('registration.elected')
  expect((await echo(other)).by).toBe('second')

  await second.close()
  expect(await other.evaluate(async () => (await fetch('v1/models')).status)).toBe(503)
})
