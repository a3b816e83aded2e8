import { fileURLToPath } from 'node:url'
import { playwright } from '@vitest/browser-playwright'
import { defineConfig } from 'vitest/config'
import { assemblyScript } from './scripts/assemblyscript.mjs'
import { chromiumArgs, findChromium } from './scripts/chromium.mjs'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const executablePath = await findChromium()

/** Several tests crash the GPU process of the one browser they share: the next ones still get an adapter. */
const afterCrashes = ['--disable-gpu-process-crash-limit', '--disable-domain-blocking-for-3d-apis']

/** As the page itself is served: threads. */
const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  // A service worker's script lies in src/, and the tests' pages do not.
  'Service-Worker-Allowed': '/',
}

/** Tests of real models that `npm run fetch` brings, too large for the other projects. */
const modelTests = '**/*.models.test.ts'

/** Tests that need a browser: IndexedDB, workers, and for `kernels` a WebGPU device. */
const inBrowser = (name: string, include: string[], exclude: string[] = []) => ({
  extends: true as const,
  // Found before the first test: a dependency found later reloads the page in mid-test.
  optimizeDeps: { entries: ['packages/*/src/**/*.{ts,tsx}'], exclude: ['onnxruntime-web'] },
  server: { headers: isolation },
  test: {
    name,
    include,
    exclude: ['**/node_modules/**', ...exclude],
    // For two slow cores that another part of the tests shares.
    testTimeout: 120_000,
    fileParallelism: false,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({
        launchOptions: {
          args: [...chromiumArgs, ...afterCrashes],
          ...(executablePath !== undefined && { executablePath }),
        },
      }),
      instances: [{ browser: 'chromium' as const }],
    },
  },
})

export default defineConfig({
  ...(process.env.VITE_CACHE !== undefined && {
    cacheDir: here(`node_modules/.vite/${process.env.VITE_CACHE}`),
  }),
  plugins: [assemblyScript()],
  worker: { format: 'es', plugins: () => [assemblyScript()] },
  resolve: {
    alias: { '#shaders': here('shaders'), '@brasa/runtime': here('packages/runtime/src/index.ts') },
  },
  publicDir: here('public'),
  test: {
    setupFiles: [here('vitest.setup.ts')],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          environment: 'node',
          testTimeout: 60_000,
          include: ['packages/**/*.test.ts', 'scripts/**/*.test.mjs'],
          exclude: ['**/node_modules/**', '**/*.browser.test.ts', '**/backends/webgpu/**', modelTests],
        },
      },
      inBrowser('browser', ['packages/**/*.browser.test.ts']),
      inBrowser('kernels', ['packages/runtime/src/backends/webgpu/**/*.test.ts'], [modelTests]),
      inBrowser('models-browser', [
        `packages/runtime/src/{api,backends/ort,backends/wasm,backends/webgpu}/${modelTests}`,
      ]),
      {
        extends: true,
        test: { name: 'hosting', environment: 'node', include: ['hosting/*.test.mjs'] },
      },
      {
        extends: true,
        test: {
          name: 'models-node',
          environment: 'node',
          include: [`packages/runtime/src/{engine,tokenizer,backends/reference}/${modelTests}`],
          fileParallelism: false,
        },
      },
    ],
  },
})
