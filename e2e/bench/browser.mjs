// @ts-check
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright'
import { chromiumArgs, findOrInstallChromium } from '../../scripts/chromium.mjs'

/**
 * @typedef {import('playwright').Page} Page
 *
 * @typedef {object} BrowserOptions
 * @property {boolean} gpu this machine's GPU instead of the software adapter
 * @property {boolean} headed
 * @property {string} [channel] of an installed browser, such as `chrome`
 * @property {readonly string[]} args
 * @property {(line: string) => void} [onConsole]
 *
 * @typedef {object} Browser one of its own, with a profile of its own: what hangs or crashes takes nothing else along
 * @property {Page} page
 * @property {string} version
 * @property {() => number | undefined} residentBytes of all its processes; undefined where the system does not tell
 * @property {() => Promise<void>} close
 */

/** @param {Pick<BrowserOptions, 'gpu' | 'args'>} options */
export function launchArgs({ gpu, args }) {
  if (!gpu) return [...chromiumArgs, ...args]
  const hardware = chromiumArgs.filter((flag) => !flag.startsWith('--use-webgpu-adapter'))
  const vulkan = process.platform === 'linux' ? ['--enable-features=Vulkan', '--use-angle=vulkan'] : []
  return [...hardware, ...vulkan, ...args]
}

/**
 * @param {BrowserOptions} options
 * @param {string} [initScript] runs in the page before any script of its own
 * @returns {Promise<Browser>}
 */
export async function openBrowser(options, initScript) {
  const { headed, channel, onConsole } = options
  const executablePath = channel === undefined ? await findOrInstallChromium() : undefined
  // Kept on disk, as a visitor's is: a context without a profile stores everything in memory.
  const profile = await mkdtemp(join(tmpdir(), 'brasa-bench-'))
  const removeProfile = () => rm(profile, { recursive: true, force: true, maxRetries: 3 })
  try {
    const context = await chromium.launchPersistentContext(profile, {
      args: launchArgs(options),
      headless: !headed,
      viewport: null,
      // The hook that counts puts a script of its own before each worker's.
      bypassCSP: true,
      ...(channel === undefined ? {} : { channel }),
      ...(executablePath === undefined ? {} : { executablePath }),
    })
    if (initScript !== undefined) await context.addInitScript(initScript)
    const page = context.pages()[0] ?? (await context.newPage())
    page.on('console', (message) => onConsole?.(message.text()))
    page.on('pageerror', (error) => onConsole?.(error.message))
    return {
      page,
      version: context.browser()?.version() ?? '',
      residentBytes: () => residentBytesOf(profile),
      close: async () => {
        await context.close().catch(() => {})
        await removeProfile()
      },
    }
  } catch (error) {
    await removeProfile()
    throw error
  }
}

/**
 * Opens a page of the bench's, or opens it anew, and waits for what it defines.
 * @param {Page} page
 * @param {string} url
 * @param {string} name of a global
 */
export async function openPage(page, url, name) {
  await page.goto(url)
  await page.waitForFunction((name) => name in globalThis, name, { timeout: 30_000 })
}

/** How long a busy page works before it looks what came in: a token waits as long at most. */
const busySliceMs = 16

/**
 * Keeps the page's main thread busy, one piece of work after the other without a rest, or lets it be.
 * @param {Page} page
 * @param {boolean} isBusy
 */
export function setBusy(page, isBusy) {
  return page.evaluate(
    ({ isBusy, sliceMs }) => {
      const scope = /** @type {any} */ (globalThis)
      scope.isBusy = isBusy
      if (!isBusy) return
      const { port1, port2 } = new MessageChannel()
      port1.onmessage = () => {
        const until = performance.now() + sliceMs
        while (performance.now() < until);
        if (scope.isBusy) port2.postMessage(0)
        else port1.close()
      }
      port2.postMessage(0)
    },
    { isBusy, sliceMs: busySliceMs },
  )
}

/**
 * Proportional shares of what processes have in common, so that they add up. Linux tells them.
 * @param {string} profile of the browser, by which its processes are known: each has it on its command line
 */
function residentBytesOf(profile) {
  if (process.platform !== 'linux') return undefined
  let bytes = 0
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const commandLine = readProc(pid, 'cmdline')
    if (!commandLine.includes(profile)) continue
    const kilobytes = readProc(pid, 'smaps_rollup').match(/^Pss:\s+(\d+) kB/m)?.[1]
    bytes += Number(kilobytes ?? 0) * 1024
  }
  return bytes === 0 ? undefined : bytes
}

/**
 * @param {string} pid
 * @param {string} file
 */
function readProc(pid, file) {
  try {
    return readFileSync(join('/proc', pid, file), 'utf8')
  } catch {
    // It ended meanwhile.
    return ''
  }
}
