import { cpSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const dist = fileURLToPath(new URL('../dist', import.meta.url))

/** The production build, and what a later build of changed sources would be: two scripts have other contents and names. */
export function makeVersions(folder: string): { first: string; second: string; entries: [string, string] } {
  const first = join(folder, 'first')
  const second = join(folder, 'second')
  for (const version of [first, second]) {
    cpSync(dist, version, { recursive: true, filter: (path) => path !== join(dist, 'models') })
    symlinkSync(join(dist, 'models'), join(version, 'models'))
  }
  const html = readFileSync(join(first, 'index.html'), 'utf8')
  const entry = basename(/<script type="module"[^>]* src="([^"]+)"/.exec(html)![1]!)
  const assets = join(second, 'assets')
  const spanish = readdirSync(assets).find((name) => /^es-.*\.js$/.test(name))!
  const renamed = new Map([entry, spanish].map((name) => [name, name.replace(/-.{8}\.js$/, '-LaterOne.js')]))
  for (const path of ['index.html', 'bench.html', 'service-worker.js'].map((name) => join(second, name))) {
    rename(path, renamed)
  }
  for (const name of readdirSync(assets).filter((each) => /\.m?js$/.test(each))) {
    rename(join(assets, name), renamed)
  }
  for (const [name, later] of renamed) renameSync(join(assets, name), join(assets, later))
  // The page itself changed as well, and its name says nothing of that.
  const worker = join(second, 'service-worker.js')
  const list = readFileSync(worker, 'utf8')
  writeFileSync(
    worker,
    list.replace(/"revision":"[^"]+","url":"index\.html"/, '"revision":"later","url":"index.html"'),
  )
  return { first, second, entries: [entry, renamed.get(entry)!] }
}

function rename(path: string, names: ReadonlyMap<string, string>): void {
  const before = readFileSync(path, 'utf8')
  let after = before
  for (const [old, later] of names) after = after.replaceAll(old, later)
  if (after !== before) writeFileSync(path, after)
}

/** A proxy that a browser uses for all but this machine: what it is asked for is what would have left it. */
export async function watchOutside(): Promise<{
  readonly asked: readonly string[]
  readonly args: readonly string[]
  close(): void
}> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.writeHead(502).end()
  })
  server.on('connect', (request, socket) => {
    asked.push(request.url ?? '')
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    asked,
    args: [`--proxy-server=http://127.0.0.1:${port}`],
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
