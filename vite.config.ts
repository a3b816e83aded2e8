import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** Cross-origin isolation: SharedArrayBuffer and precise clocks. The page loads nothing from other origins. */
const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
}

export default defineConfig({
  root: here('packages/demo'),
  publicDir: here('public'),
  resolve: {
    alias: { '#shaders': here('shaders'), '@brasa/runtime': here('packages/runtime/src/index.ts') },
  },
  server: { headers: isolation },
  preview: { headers: isolation },
  worker: { format: 'es' },
  build: {
    outDir: here('dist'),
    emptyOutDir: true,
    target: 'esnext',
    rolldownOptions: { input: [here('packages/demo/index.html'), here('packages/demo/bench.html')] },
  },
})
