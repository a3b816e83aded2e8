// @ts-check
import { createReadStream, existsSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'

/**
 * @typedef {object} Served
 * @property {Record<string, string>} folders by the address that they have, such as `/packages/wllama/`
 * @property {Record<string, string>} files by address
 */

const types = /** @type {Record<string, string>} */ ({
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
})

/** Threads need isolation; a page of the other server may read the model from this one. */
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'cross-origin',
  'Access-Control-Allow-Origin': '*',
  'Accept-Ranges': 'bytes',
  'Cache-Control': 'no-cache',
}

/**
 * Serves the peers' own packages and the model from this machine: nothing of a peer comes from elsewhere.
 * @param {Served & { page: string }} served `page` is the HTML at `/`
 * @returns {Promise<{ url: string, close: () => Promise<void> }>}
 */
export async function servePeers({ page, ...served }) {
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname)
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    if (path === '/') {
      response.setHeader('Content-Type', 'text/html')
      response.end(page)
      return
    }
    const file = fileOf(served, path)
    if (file === undefined) {
      response.statusCode = 404
      response.end()
      return
    }
    sendFile(request, response, file)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://localhost:${port}/`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

/**
 * @param {Served} served
 * @param {string} path
 * @returns {string | undefined} of a file that is there
 */
function fileOf({ folders, files }, path) {
  const [prefix, folder] = Object.entries(folders).find(([prefix]) => path.startsWith(prefix)) ?? []
  let file = files[path]
  if (prefix !== undefined && folder !== undefined) {
    const rest = normalize(path.slice(prefix.length))
    if (!rest.startsWith('..')) file = join(folder, rest)
  }
  return file !== undefined && existsSync(file) && statSync(file).isFile() ? file : undefined
}

/**
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:http').ServerResponse} response
 * @param {string} file
 */
function sendFile(request, response, file) {
  const { size, mtimeMs } = statSync(file)
  const [, from = '', to = ''] = request.headers.range?.match(/^bytes=(\d+)-(\d*)$/) ?? []
  const start = from === '' ? 0 : Number(from)
  const end = to === '' ? size - 1 : Math.min(Number(to), size - 1)
  response.setHeader('Content-Type', types[extname(file)] ?? 'application/octet-stream')
  response.setHeader('ETag', `"${size}-${mtimeMs}"`)
  if (start > end) {
    response.writeHead(416, { 'Content-Range': `bytes */${size}` }).end()
    return
  }
  response.setHeader('Content-Length', end - start + 1)
  if (from !== '') {
    response.statusCode = 206
    response.setHeader('Content-Range', `bytes ${start}-${end}/${size}`)
  }
  if (request.method === 'HEAD') response.end()
  else createReadStream(file, { start, end }).pipe(response)
}
