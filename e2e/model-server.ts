import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Manifest } from '../packages/runtime/src/storage/manifest.ts'

/** A server of one model file on another origin, as a hub is: ranges, a version, and the faults a test asks for. */
export interface ModelServer {
  readonly url: string
  readonly size: number
  /** Bytes of the file that were sent. */
  readonly bytesSent: number
  /** Connections that were cut. */
  readonly numDropped: number
  close(): Promise<void>
}

export interface Faults {
  /** For the nth answer with a body, after how many bytes its connection is cut; undefined leaves it whole. */
  readonly dropAfter?: (answer: number) => number | undefined
  /** Answers 200 with everything, whatever range is asked for. */
  readonly ignoresRanges?: boolean
}

export async function serveModel({ dropAfter, ignoresRanges = false }: Faults = {}): Promise<ModelServer> {
  const file = readModelFile()
  let bytesSent = 0
  let numDropped = 0
  let numAnswers = 0

  const server = createServer((request, response) => {
    response.setHeader('Access-Control-Allow-Origin', '*')
    response.setHeader('Access-Control-Allow-Headers', 'Range, If-Range')
    response.setHeader('Access-Control-Expose-Headers', 'Content-Range, Content-Length, ETag, Accept-Ranges')
    if (!ignoresRanges) response.setHeader('Accept-Ranges', 'bytes')
    response.setHeader('ETag', '"one-version"')
    if (request.method === 'OPTIONS') return void response.writeHead(204).end()
    if (request.url !== '/model.gguf') return void response.writeHead(404).end()
    const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec((!ignoresRanges && request.headers.range) || '') ?? []
    const start = first === undefined ? 0 : Number(first)
    const end = Math.min(last ? Number(last) + 1 : file.length, file.length)
    response.setHeader('Content-Length', end - start)
    if (first !== undefined) response.setHeader('Content-Range', `bytes ${start}-${end - 1}/${file.length}`)
    response.writeHead(first === undefined ? 200 : 206)
    if (request.method === 'HEAD') return void response.end()

    const cut = dropAfter?.(numAnswers++)
    const length = Math.min(cut ?? Number.POSITIVE_INFINITY, end - start)
    let position = start
    const send = () => {
      while (position < start + length) {
        const piece = file.subarray(position, Math.min(position + 65_536, start + length))
        position += piece.length
        bytesSent += piece.length
        if (!response.write(piece)) return void response.once('drain', send)
      }
      if (length === end - start) return void response.end()
      numDropped += 1
      response.destroy()
    }
    send()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/model.gguf`,
    size: file.length,
    get bytesSent() {
      return bytesSent
    },
    get numDropped() {
      return numDropped
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

/** The default model as the one file it was, from its shards. */
export function readModelFile(): Buffer {
  const folder = new URL('../public/models/smollm2-135m-instruct/', import.meta.url)
  const manifest: Manifest = JSON.parse(readFileSync(new URL('manifest.json', folder), 'utf8'))
  return Buffer.concat(manifest.files[0]!.shards.map(({ path }) => readFileSync(new URL(path!, folder))))
}
