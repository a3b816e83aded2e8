// @ts-check
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { preview } from 'vite'
import { exitWithNpm, reasonOf, root, runAsScript, ScriptError } from './command-line.mjs'
import { ensureBuilt } from './setup.mjs'

export const defaultPort = 4173

/**
 * Serves the production build with the headers of vite.config.ts.
 * @param {number} port 0 takes any free one
 * @returns {Promise<{ url: string, close: () => Promise<void> }>}
 */
export async function serve(port) {
  if (!existsSync(join(root, 'dist', 'index.html'))) {
    throw new ScriptError('There is no production build in dist/. Run npm run build first, or npm start.')
  }
  const server = await preview({
    configFile: join(root, 'vite.config.ts'),
    logLevel: 'warn',
    // 127.0.0.1 by name: where localhost means ::1 first, a server there is not found under the number.
    preview: { host: '127.0.0.1', port, strictPort: true },
  }).catch((error) => {
    if (!/already in use|EADDRINUSE/.test(reasonOf(error))) throw error
    throw new ScriptError(`Port ${port} is taken. Choose another one: PORT=${port + 1} npm start`)
  })
  const address = server.httpServer.address()
  const actualPort = typeof address === 'object' && address !== null ? address.port : port
  return { url: `http://localhost:${actualPort}/`, close: () => server.close() }
}

/** The port that the environment asks for. */
export function chosenPort() {
  const text = process.env.PORT
  if (!text) return defaultPort
  const port = Number(text)
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port
  throw new ScriptError(`PORT is "${text}", and a port is a number from 1 to 65535.`)
}

await runAsScript(import.meta.url, async (args) => {
  const { values } = parseArgs({ args, options: { build: { type: 'boolean' } } })
  if (values.build) ensureBuilt()
  const { url } = await serve(chosenPort())
  exitWithNpm()
  console.log(`Brasa is at ${url}`)
})
