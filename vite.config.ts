import { cp, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defaultClientConditions, defineConfig, type Plugin } from 'vite'
import { VitePWA } from 'vite-plugin-pwa'
import { cacheControl, headersOf, isolation, metaPolicy } from './packages/demo/src/service-worker/headers.ts'
import { assemblyScript } from './scripts/assemblyscript.mjs'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

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

/** The policy as the page carries it to every host, and `vite preview` as a host that sends all headers. */
const hostHeaders: Plugin = {
  name: 'brasa:host-headers',
  transformIndexHtml: (_, { server }) => [
    {
      tag: 'meta',
      attrs: {
        'http-equiv': 'Content-Security-Policy',
        // The development server adds styles as it goes.
        content: server === undefined ? metaPolicy : `${metaPolicy}; style-src 'self' 'unsafe-inline'`,
      },
      injectTo: 'head-prepend',
    },
  ],
  configurePreviewServer(server) {
    server.middlewares.use((request, response, next) => {
      const path = (request.url ?? '/').slice(1)
      response.setHeader('Cache-Control', cacheControl(path))
      for (const [name, value] of Object.entries(headersOf(path))) response.setHeader(name, value)
      next()
    })
  },
}

/** Of a file that is larger the service worker keeps a copy when it is first used: ONNX Runtime, grammars. */
const maxPrecachedBytes = 300_000

/** The service worker with the list of the build's files, and the manifest that makes the page an app. */
const app = VitePWA({
  strategies: 'injectManifest',
  srcDir: 'src/service-worker',
  filename: 'service-worker.ts',
  // The page registers it itself, once it has been drawn.
  injectRegister: false,
  includeManifestIcons: false,
  manifest: {
    name: 'Brasa',
    short_name: 'Brasa',
    description: 'Chat with a language model that runs inside this page. Nothing you type leaves the device.',
    lang: 'en',
    // By its origin: an address of its own, wherever below it the page lies.
    id: 'brasa',
    display: 'standalone',
    background_color: '#fbf9f7',
    theme_color: '#fbf9f7',
    categories: ['productivity', 'utilities'],
    // What `npm run screenshots` takes for an app store's or a browser's offer to install.
    screenshots: [
      {
        src: 'screenshot-wide.webp',
        sizes: '1920x1200',
        type: 'image/webp',
        form_factor: 'wide',
        label: 'A chat, with what is measured beside it',
      },
      {
        src: 'screenshot-narrow.webp',
        sizes: '540x1110',
        type: 'image/webp',
        form_factor: 'narrow',
        label: 'A chat on a phone',
      },
    ],
    shortcuts: [
      { name: 'New chat', url: './#new' },
      { name: 'Models', url: './#models' },
      { name: 'Compare two models', short_name: 'Compare', url: './#compare' },
      { name: 'Benchmark', url: 'bench.html' },
    ],
    icons: [
      { src: 'icon.svg', sizes: 'any', type: 'image/svg+xml' },
      { src: 'icon-192.png', sizes: '192x192', type: 'image/png' },
      { src: 'icon-512.png', sizes: '512x512', type: 'image/png' },
      { src: 'icon-maskable-512.png', sizes: '512x512', type: 'image/png', purpose: 'maskable' },
    ],
  },
  injectManifest: {
    rollupFormat: 'es',
    globPatterns: ['*.html', 'favicon.svg', 'assets/*'],
    dontCacheBustURLsMatching: /^assets\//,
    maximumFileSizeToCacheInBytes: 64 * 1024 * 1024,
    manifestTransforms: [
      (files) => ({
        manifest: files.map((file) => ({ ...file, later: file.size > maxPrecachedBytes })),
        warnings: [],
      }),
    ],
  },
})

export default defineConfig({
  appType: 'mpa',
  // Relative addresses: the build also works below a path, as on GitHub Pages.
  base: './',
  root: here('packages/demo'),
  publicDir: here('public'),
  resolve: {
    alias: {
      '#shaders': here('shaders'),
      '@brasa/runtime/answer-requests': here('packages/runtime/src/service-worker/answer-requests.ts'),
      '@brasa/runtime/ai-sdk': here('packages/runtime/src/adapters/ai-sdk.ts'),
      '@brasa/runtime': here('packages/runtime/src/index.ts'),
    },
    // ONNX Runtime's glue is a file of its own, which its threads start too: it need not be inside as well.
    conditions: ['onnxruntime-web-use-extern-wasm', ...defaultClientConditions],
  },
  server: { headers: isolation },
  worker: { format: 'es', plugins: () => [assemblyScript()] },
  // What the worker imports is found before the page runs; found later, it reloads the page in mid-answer. ONNX Runtime is one
  // file already, and finds the others of its own by address.
  optimizeDeps: {
    entries: ['*.html', '../runtime/src/{worker,grammar/matcher-worker}.ts'],
    exclude: ['onnxruntime-web'],
  },
  plugins: [assemblyScript(), publicFiles, hostHeaders, app],
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
