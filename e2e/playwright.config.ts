import { fileURLToPath } from 'node:url'
import { defineConfig } from '@playwright/test'
import { chromiumArgs, findChromium } from '../scripts/chromium.mjs'

/** Another one where several checkouts are tested on one machine. */
const port = Number(process.env.E2E_PORT ?? 4273)
const executablePath = await findChromium()

/** The production build, as a static host serves it, in a real browser with WebGPU on the software adapter. */
export default defineConfig({
  testDir: '.',
  outputDir: '../test-results',
  workers: 1,
  retries: 0,
  forbidOnly: true,
  timeout: 300_000,
  expect: { timeout: 60_000 },
  use: {
    baseURL: `http://localhost:${port}`,
    launchOptions: { args: chromiumArgs, ...(executablePath !== undefined && { executablePath }) },
    trace: 'off',
    // A page that a service worker answers makes no requests that a test could see or change, and a worker outlives its page. What
    // is tested of it is in pwa.spec.ts and service-worker.spec.ts, which allow it.
    serviceWorkers: 'block',
  },
  webServer: {
    command: 'node scripts/serve.mjs --build',
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: { PORT: String(port) },
    url: `http://localhost:${port}/`,
    reuseExistingServer: false,
    timeout: 120_000,
  },
})
