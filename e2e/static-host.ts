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
}

/**
 * A folder as a plain host serves it below a path, such as GitHub Pages, which sends no headers of its own.
 * @param folder the production build if left out
 * @returns the folder's address, the files of it that were asked for, and the way to end the server
 */
export async function serveBelow(
  path: string,
  { isIsolated, folder = dist }: { isIsolated: boolean; folder?: string },
): Promise<{ url: string; sent: ReadonlySet<string>; close: () => Promise<void> }> {
  const sent = new Set<string>()
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    const file = join(folder, normalize(pathname.slice(path.length)))
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
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://localhost:${port}${path}`,
    sent,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
