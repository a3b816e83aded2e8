// @ts-check
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { installWithApt } from './apt.mjs'
import { ScriptError } from './command-line.mjs'

/** Flags under which headless Chromium has WebGPU on a machine without a GPU, and stays off the network. */
export const chromiumArgs = [
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

const commands = ['google-chrome', 'google-chrome-stable', 'chromium', 'chromium-browser']
const applications = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
]

/**
 * The browser that tests and benchmarks drive: `CHROMIUM_PATH`, else an installed Chrome or Chromium, else Playwright's own.
 * @returns {Promise<string | undefined>} path of the executable; undefined if there is none that starts
 */
export async function findChromium() {
  const chosen = process.env.CHROMIUM_PATH
  if (chosen) {
    if (await starts(chosen)) return chosen
    throw new ScriptError(`CHROMIUM_PATH is ${chosen}, and that is no Chrome or Chromium that starts.`)
  }
  const folders = (process.env.PATH ?? '').split(delimiter)
  const installed = commands.flatMap((command) => folders.map((folder) => join(folder, command)))
  for (const path of [...installed, ...applications, await playwrightChromium()]) {
    if (path !== undefined && existsSync(path) && (await starts(path))) return path
  }
  return undefined
}

/** As findChromium, installing Debian's package if there is no browser and this account may. */
export async function findOrInstallChromium() {
  const found = await findChromium()
  if (found !== undefined) return found
  const installed = installWithApt('Chromium', ['chromium']) ? await findChromium() : undefined
  if (installed !== undefined) return installed
  throw new ScriptError(
    'No Chrome or Chromium was found. Install Google Chrome or Chromium (on Debian: apt-get install chromium; anywhere: npx playwright install chromium), or set CHROMIUM_PATH to the executable.',
  )
}

/**
 * Ubuntu's chromium-browser, for one, is only a message that says what else to install.
 * @param {string} path
 * @returns {Promise<boolean>}
 */
function starts(path) {
  return new Promise((resolve) => {
    execFile(path, ['--version'], { timeout: 20_000 }, (error, stdout) => {
      resolve(error === null && /\d+\.\d+/.test(stdout))
    })
  })
}

async function playwrightChromium() {
  try {
    const { chromium } = await import('playwright')
    return chromium.executablePath()
  } catch {
    return undefined
  }
}
