// @ts-check
import { mkdtempSync, rmSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'vite'
import { root } from './command-line.mjs'

/**
 * Imports a module of packages/runtime/src into Node, which reads no TypeScript and no `?raw` shader: bundled first, with
 * all that it imports.
 * @param {string} path relative to packages/runtime/src, such as "quant/encode.ts"
 * @returns {Promise<any>} the module; its users name its type themselves
 */
export async function importRuntime(path) {
  const cache = join(root, '.cache')
  await mkdir(cache, { recursive: true })
  // A folder of this process alone: two commands may run at once.
  const outDir = mkdtempSync(join(cache, 'runtime-'))
  try {
    await build({
      configFile: false,
      root,
      publicDir: false,
      logLevel: 'error',
      resolve: { alias: { '#shaders': join(root, 'shaders') } },
      ssr: { noExternal: true },
      build: {
        ssr: join(root, 'packages', 'runtime', 'src', path),
        outDir,
        emptyOutDir: false,
        minify: false,
        target: 'node20',
        rolldownOptions: { output: { entryFileNames: 'module.mjs', chunkFileNames: '[name]-[hash].mjs' } },
      },
    })
    return await import(pathToFileURL(join(outDir, 'module.mjs')).href)
  } finally {
    rmSync(outDir, { recursive: true, force: true })
  }
}
