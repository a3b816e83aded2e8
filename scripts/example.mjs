// @ts-check
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { exitWithNpm, root, runAsScript, ScriptError } from './command-line.mjs'
import { fetchModel } from './fetch-model.mjs'
import { ensureInstalled, ensureNode } from './setup.mjs'

const folder = join(root, 'examples')
const workers = ['worker.ts', 'grammar/matcher-worker.ts']

/**
 * Serves an example with the runtime from its sources.
 * @param {string} name
 * @param {number} port 0 takes any free one
 * @returns {Promise<{ url: string, close: () => Promise<void> }>}
 */
export async function serveExample(name, port) {
  const names = readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [entry.name] : [],
  )
  if (!names.includes(name)) {
    throw new ScriptError(`There is no example "${name}". Known are: ${names.join(', ')}.`)
  }
  const { createServer } = await import('vite')
  const server = await createServer({
    configFile: join(root, 'vite.config.ts'),
    root: join(folder, name),
    cacheDir: join(root, 'node_modules', '.vite-examples', name),
    logLevel: 'warn',
    // Workers too: what one imports and is found late reloads the page.
    optimizeDeps: { entries: ['index.html', ...workers.map((path) => `../../packages/runtime/src/${path}`)] },
    server: { host: '127.0.0.1', port, fs: { allow: [root] } },
  })
  await server.listen()
  const address = server.httpServer?.address()
  const actualPort = typeof address === 'object' && address !== null ? address.port : port
  return { url: `http://localhost:${actualPort}/`, close: () => server.close() }
}

await runAsScript(import.meta.url, async ([name = 'minimal']) => {
  ensureNode()
  ensureInstalled()
  await fetchModel()
  if (name === 'rag') await fetchModel({ id: 'all-minilm-l6-v2' })
  const { url } = await serveExample(name, 5199)
  exitWithNpm()
  console.log(`The example ${name} is at ${url} (Ctrl+C stops it)`)
})
