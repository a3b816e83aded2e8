import { cp, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defaultClientConditions, defineConfig, type Plugin } from 'vite'
import { assemblyScript } from './scripts/assemblyscript.mjs'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** Cross-origin isolation: SharedArrayBuffer and precise clocks. The page loads nothing from other origins. */
const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
}

/**
 * public/ goes into the build without whole model files: many static hosts take none over 25 MiB, and shards do the work.
 * Models that have terms of their own stay out as well: who accepts the terms fetches them, and a build is for everyone.
 */
const publicFiles: Plugin = {
  name: 'brasa:public-files',
  apply: 'build',
  async writeBundle({ dir }) {
    if (dir === undefined) return
    const leftOut = /\.gguf$|\.partial-\d+/
    const { models } = JSON.parse(await readFile(here('public/models/models.json'), 'utf8')) as {
      models: { id: string; terms?: string }[]
    }
    const withTerms = models.filter(({ terms }) => terms !== undefined).map(({ id }) => join('models', id))
    await cp(here('public'), dir, {
      recursive: true,
      filter: (path) => !leftOut.test(path) && !withTerms.includes(relative(here('public'), path)),
    })
  },
}

/** Files under assets/ carry a hash of their content in their names and never change; all else is asked for again. */
const cacheLifetimes: Plugin = {
  name: 'brasa:cache-lifetimes',
  configurePreviewServer(server) {
    server.middlewares.use((request, response, next) => {
      const isHashed = request.url?.startsWith('/assets/')
      response.setHeader('Cache-Control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache')
      next()
    })
  },
}

export default defineConfig({
  appType: 'mpa',
  // Relative addresses: the build also works below a path, as on GitHub Pages.
  base: './',
  root: here('packages/demo'),
  publicDir: here('public'),
  resolve: {
    alias: {
      '#shaders': here('shaders'),
      '@brasa/runtime/ai-sdk': here('packages/runtime/src/adapters/ai-sdk.ts'),
      '@brasa/runtime': here('packages/runtime/src/index.ts'),
    },
    // ONNX Runtime's glue is a file of its own, which its threads start too: it need not be inside as well.
    conditions: ['onnxruntime-web-use-extern-wasm', ...defaultClientConditions],
  },
  server: { headers: isolation },
  preview: { headers: isolation },
  worker: { format: 'es', plugins: () => [assemblyScript()] },
  // What the worker imports is found before the page runs; found later, it reloads the page in mid-answer. ONNX Runtime is one
  // file already, and finds the others of its own by address.
  optimizeDeps: {
    entries: ['*.html', '../runtime/src/{worker,grammar/matcher-worker}.ts'],
    exclude: ['onnxruntime-web'],
  },
  plugins: [assemblyScript(), publicFiles, cacheLifetimes],
  build: {
    outDir: here('dist'),
    emptyOutDir: true,
    target: 'esnext',
    copyPublicDir: false,
    rolldownOptions: {
      input: [here('packages/demo/index.html'), here('packages/demo/bench.html')],
      checks: { pluginTimings: false },
    },
  },
})
