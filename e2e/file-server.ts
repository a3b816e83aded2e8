import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Small files on another origin, as a hub serves them: ranges, versions, and answers that can be held back. */
export interface FileServer {
  /** Without a slash at its end. */
  readonly origin: string
  /** By path. `totalBytes` is what the server says where it is more than there are. */
  readonly files: Map<string, { readonly bytes: Buffer; readonly totalBytes?: number }>
  readonly bytesSent: number
  /** From now on nothing is answered, until it is let go. */
  hold(): void
  letGo(): void
  close(): Promise<void>
}

export async function serveFiles(): Promise<FileServer> {
  const files: FileServer['files'] = new Map()
  let bytesSent = 0
  let held: (() => void)[] | undefined

  function answer(path: string, range: string | undefined, response: ServerResponse): void {
    const file = files.get(path)
    if (file === undefined) return void response.writeHead(404).end()
    const { bytes, totalBytes = bytes.length } = file
    const [, first = '0', last = `${totalBytes - 1}`] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? []
    const start = Number(first)
    const end = Math.min(Number(last) + 1, totalBytes)
    // What is not there is zeros.
    const part = Buffer.concat([bytes.subarray(start, end)], end - start)
    response.setHeader('ETag', '"one-version"')
    if (range !== undefined) {
      response.setHeader('Content-Range', `bytes ${start}-${start + part.length - 1}/${totalBytes}`)
    }
    response.writeHead(range === undefined ? 200 : 206, { 'Content-Length': part.length })
    bytesSent += part.length
    response.end(part)
  }

  const server = createServer((request, response) => {
    response.setHeader('Access-Control-Allow-Origin', '*')
    response.setHeader('Access-Control-Allow-Headers', 'Range, If-Range')
    response.setHeader('Access-Control-Expose-Headers', 'Content-Range, Content-Length, ETag')
    if (request.method === 'OPTIONS') return void response.writeHead(204).end()
    const go = () => answer(request.url ?? '/', request.headers.range, response)
    if (held === undefined) go()
    else held.push(go)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://localhost:${(server.address() as AddressInfo).port}`,
    files,
    get bytesSent() {
      return bytesSent
    },
    hold() {
      held ??= []
    },
    letGo() {
      const waiting = held ?? []
      held = undefined
      for (const go of waiting) go()
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
