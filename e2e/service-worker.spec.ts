import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, type Page, test } from '@playwright/test'
import { serveBelow } from './static-host.ts'

const dist = fileURLToPath(new URL('../packages/runtime/dist', import.meta.url))

/** An engine that is told in the request what to answer: what is tested is the way to it and back. */
const script = `
import { registerBrasa } from './index.js'
globalThis.cancelled = 0
globalThis.pulled = 0
const engine = {
  async fetch(request) {
    const { method, url, headers } = request
    const { pathname } = new URL(url)
    if (pathname.endsWith('/echo')) {
      const body = await request.text()
      return Response.json({ method, pathname, own: headers.get('x-own'), body, by: document.title }, { status: 418, headers: { 'x-request-id': 'one' } })
    }
    if (pathname.endsWith('/fail')) throw new Error('The engine gave up.')
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

test.use({ serviceWorkers: 'allow' })

let host: Awaited<ReturnType<typeof serveBelow>>
let folder: string

test.beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'brasa-sw-'))
  cpSync(dist, folder, { recursive: true })
  const page = (code: string) => `<!doctype html><title>page</title><script type="module">${code}</script>`
  writeFileSync(join(folder, 'engine.html'), page(script))
  writeFileSync(join(folder, 'other.html'), page(''))
  host = await serveBelow('/app/', { isIsolated: false, folder })
})
test.afterAll(async () => {
  await host.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Opens a page that has the engine, or would have it. */
async function openEngine(page: Page, title: string, isElected = true): Promise<void> {
  await page.goto(`${host.url}engine.html`)
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
