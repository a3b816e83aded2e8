// @ts-check
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { chromiumArgs, findOrInstallChromium } from './chromium.mjs'
import { runAsScript, ScriptError } from './command-line.mjs'
import { fetchModel } from './fetch-model.mjs'
import { ensureBuilt, ensureInstalled } from './setup.mjs'

/** @typedef {import('playwright').Browser} Browser */

/** What the page may cost: bytes before a model is chosen, gzipped, and times in ms. */
const budget = { shellBytes: 150_000, firstPaintMs: 1000, longestTaskMs: 100 }
const numVisits = 3
const question = 'Write a long story about a ship and the sea.'

/**
 * A first visit: what is fetched until the page offers to load a model, and when it first shows something.
 * @param {Browser} browser
 * @param {string} url
 */
async function firstVisit(browser, url) {
  const context = await browser.newContext()
  const page = await context.newPage()
  /** @type {Set<string>} */
  const fetched = new Set()
  // The page's own requests and its workers': the service worker's come later and in the background.
  page.on('response', (response) => {
    if (response.url().startsWith('http') && !response.fromServiceWorker()) fetched.add(response.url())
  })
  await page.goto(url)
  await page.getByRole('button', { name: 'Load model' }).waitFor()
  await page.waitForLoadState('networkidle')
  const files = await Promise.all([...fetched].map(gzippedSize))
  const firstPaintMs = await page.evaluate(
    () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.POSITIVE_INFINITY,
  )
  const precacheBytes = await page.evaluate(cachedBytes)
  await context.close()
  return { files, firstPaintMs, precacheBytes }
}

/** @param {string} address */
async function gzippedSize(address) {
  const body = await (await fetch(address)).arrayBuffer()
  return { path: new URL(address).pathname, bytes: gzipSync(new Uint8Array(body), { level: 9 }).length }
}

/** In the page: gzipped bytes of what the service worker keeps for offline, once it has settled. */
async function cachedBytes() {
  if ((await navigator.serviceWorker.getRegistrations()).length === 0) return 0
  await navigator.serviceWorker.ready
  let total = 0
  for (const name of await caches.keys()) {
    const cache = await caches.open(name)
    for (const request of await cache.keys()) {
      const body = (await cache.match(request))?.body
      if (!body) continue
      total += (await new Response(body.pipeThrough(new CompressionStream('gzip'))).arrayBuffer()).byteLength
    }
  }
  return total
}

/**
 * The longest that the page was deaf to its user while an answer came in, with the model on the CPU.
 * @param {Browser} browser
 * @param {string} url
 */
async function longestTaskWhileStreaming(browser, url) {
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.addInitScript(() => {
    localStorage.setItem('brasa.settings', JSON.stringify({ temperature: 0, maxTokens: 400 }))
    localStorage.setItem('brasa.backend', JSON.stringify('wasm'))
  })
  await page.goto(url)
  await page.getByRole('button', { name: 'Load model' }).click()
  await page.getByLabel('Model state').filter({ hasText: 'On this device' }).waitFor({ timeout: 240_000 })
  await page.evaluate(() => {
    const tasks = /** @type {number[]} */ ([])
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) tasks.push(duration)
    }).observe({ type: 'longtask' })
    Object.assign(globalThis, { longTasks: tasks })
  })
  const trace = await traceTasks(browser)
  const box = page.getByLabel('Message')
  await box.fill(question)
  await box.press('Enter')
  const answer = page.getByRole('article', { name: 'Answer' })
  await answer.and(page.locator('[aria-busy=true]')).waitFor()
  await answer.and(page.locator('[aria-busy=false]')).waitFor({ timeout: 120_000 })
  const letters = (await answer.locator('[data-role=answer]').textContent())?.length ?? 0
  const cpuMs = await trace.longestCpuMs()
  // Shorter tasks than 50 ms are not told.
  const longestMs = await page.evaluate(() => {
    const { longTasks } = /** @type {{ longTasks: number[] }} */ (/** @type {unknown} */ (globalThis))
    return Math.max(0, ...longTasks)
  })
  await context.close()
  if (letters < 500) throw new ScriptError(`The answer had only ${letters} letters: too few to measure by.`)
  return { longestMs, cpuMs }
}

/**
 * Records the tasks of pages. The time that a task ran for says what the page costs; on a machine that does other things as
 * well, the time from its start to its end says mostly what those cost.
 * @param {Browser} browser
 */
async function traceTasks(browser) {
  /** @typedef {{ name: string, ph: string, pid: number, tid: number, tdur?: number, args?: { name?: string } }} TraceEvent */
  const session = await browser.newBrowserCDPSession()
  const events = /** @type {TraceEvent[]} */ ([])
  session.on('Tracing.dataCollected', ({ value }) => events.push(.../** @type {any} */ (value)))
  await session.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { includedCategories: ['toplevel', '__metadata'] },
  })
  return {
    async longestCpuMs() {
      const complete = new Promise((resolve) => session.once('Tracing.tracingComplete', resolve))
      await session.send('Tracing.end')
      await complete
      const thread = (/** @type {TraceEvent} */ { pid, tid }) => `${pid} ${tid}`
      const mains = new Set(
        events
          .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
          .map(thread),
      )
      const tasks = events.filter((event) => event.name.endsWith('RunTask') && mains.has(thread(event)))
      if (tasks.length === 0) throw new ScriptError('The browser told of no task of the page.')
      return Math.max(...tasks.map(({ tdur = 0 }) => tdur)) / 1000
    },
  }
}

/** @param {number} bytes */
const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`
/** @param {number} ms */
const milliseconds = (ms) => `${Math.round(ms)} ms`

await runAsScript(import.meta.url, async (args) => {
  const { values } = parseArgs({ args, options: { room: { type: 'string', default: '1' } } })
  // For a machine that does other things as well: times may be so many times longer, bytes may not.
  const room = Number(values.room)
  if (!(room >= 1)) throw new ScriptError(`--room is "${values.room}", and it is a number from 1 up.`)
  ensureInstalled()
  await fetchModel()
  ensureBuilt()
  const { chromium } = await import('playwright')
  const { serve } = await import('./serve.mjs')
  const server = await serve(0)
  const browser = await chromium.launch({ executablePath: await findOrInstallChromium(), args: chromiumArgs })
  try {
    const visits = []
    for (let visit = 0; visit < numVisits; visit++) visits.push(await firstVisit(browser, server.url))
    const [first] = visits
    if (first === undefined) return
    const shellBytes = first.files.reduce((sum, { bytes }) => sum + bytes, 0)
    const firstPaintMs = visits.map((visit) => visit.firstPaintMs).sort((a, b) => a - b)[numVisits >> 1] ?? 0
    const { longestMs, cpuMs } = await longestTaskWhileStreaming(browser, server.url)
    for (const { path, bytes } of first.files.toSorted((a, b) => b.bytes - a.bytes)) {
      console.log(`${kilobytes(bytes).padStart(12)}  ${path}`)
    }
    console.log(
      `${kilobytes(first.precacheBytes).padStart(12)}  kept for offline in the background, not counted\n`,
    )
    const rows = [
      {
        what: 'Fetched before a model is chosen, gzipped',
        is: shellBytes,
        most: budget.shellBytes,
        as: kilobytes,
      },
      {
        what: `First contentful paint, median of ${numVisits}`,
        is: firstPaintMs,
        most: room * budget.firstPaintMs,
        as: milliseconds,
      },
      {
        what: 'Longest task while an answer streams',
        is: longestMs,
        most: room * budget.longestTaskMs,
        as: milliseconds,
      },
      {
        what: 'The same, in time of the CPU',
        is: cpuMs,
        most: budget.longestTaskMs,
        as: milliseconds,
      },
    ]
    for (const { what, is, most, as } of rows) {
      console.log(`${is <= most ? 'ok  ' : 'OVER'}  ${what.padEnd(44)}${as(is).padStart(10)}  of ${as(most)}`)
    }
    console.log('In headless Chromium with empty caches, from a server on this machine, without throttling.')
    if (rows.some(({ is, most }) => is > most)) throw new ScriptError('The page is over its budget.')
  } finally {
    await browser.close()
    await server.close()
  }
})
