import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

const dist = fileURLToPath(new URL('../dist', import.meta.url))

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webmanifest': 'application/manifest+json',
}

interface HostOptions {
  readonly isIsolated: boolean
  /** The production build if left out. */
  readonly folder?: string
  /** Any free one if left out. */
  readonly port?: number
  /** Files that are sent only when this resolves, by their names. */
  readonly held?: Readonly<Record<string, Promise<unknown>>>
}

/**
 * A folder as a plain host serves it below a path, such as GitHub Pages, which sends no headers of its own.
 * @returns the folder's address, the files of it that were asked for, and the way to end the server
 */
export async function serveBelow(
  path: string,
  { isIsolated, folder = dist, port = 0, held = {} }: HostOptions,
): Promise<{ url: string; sent: ReadonlySet<string>; close: () => Promise<void> }> {
  const sent = new Set<string>()
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    const name = normalize(pathname.slice(path.length).replace(/(^|\/)$/, '$1index.html'))
    await held[name]
    const file = join(folder, name)
    const isFile = pathname.startsWith(path) && (await stat(file).catch(() => undefined))?.isFile()
    if (!isFile) {
      response.writeHead(404).end()
      return
    }
    sent.add(file)
    response.writeHead(200, {
      'Content-Type': types[extname(file)] ?? 'application/octet-stream',
      ...(isIsolated && {
        'Cross-Origin-Opener-Policy': 'same-origin',
        'Cross-Origin-Embedder-Policy': 'require-corp',
      }),
    })
    createReadStream(file).pipe(response)
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const { port: actualPort } = server.address() as AddressInfo
  return {
    url: `http://localhost:${actualPort}${path}`,
    sent,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
