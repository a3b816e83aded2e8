// @ts-check
import { spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { cacheControl, headersOf } from '../packages/demo/src/service-worker/headers.ts'
import { root } from '../scripts/command-line.mjs'
import { compressFolder } from '../scripts/compress.mjs'
import { findOrInstallNginx } from '../scripts/nginx.mjs'

const dist = join(root, 'dist')
const docker = (/** @type {string[]} */ ...args) => spawnSync('docker', args, { encoding: 'utf8', cwd: root })

/** Docker builds and runs the image where it works and can fetch what the image starts from; else the same nginx runs here. */
const hasDocker =
  docker('info').status === 0 &&
  ['node:20-bookworm-slim', 'debian:bookworm-slim'].every(
    (image) => docker('pull', '--quiet', image).status === 0,
  )

/** @type {{ url: string, stop: () => void, container?: string }} */
let host

beforeAll(async () => {
  host = hasDocker ? startContainer() : await startNginx()
  await vi.waitFor(() => get('healthz'), { timeout: 20_000 })
}, 600_000)
afterAll(() => host?.stop())

function startContainer() {
  const built = docker('build', '--tag', 'brasa-test', '.')
  if (built.status !== 0) throw new Error(`The image does not build:\n${built.stderr.slice(-4000)}`)
  const container = docker(
    'run',
    '--detach',
    '--rm',
    '--publish',
    '127.0.0.1::8080',
    'brasa-test',
  ).stdout.trim()
  const address = docker('port', container, '8080').stdout.trim()
  return { url: `http://${address}/`, container, stop: () => void docker('rm', '--force', container) }
}

async function startNginx() {
  const folder = mkdtempSync(join(tmpdir(), 'brasa-nginx-'))
  chmodSync(folder, 0o755)
  const html = join(folder, 'html')
  // Without what takes long to compress: a model, and ONNX Runtime, of which one file comes as it is.
  const isLarge = (/** @type {string} */ path) => /\.wasm$|\/models\/.+/.test(path.slice(dist.length))
  cpSync(dist, html, { recursive: true, filter: (path) => !isLarge(path) || path.endsWith('models.json') })
  await compressFolder(html)
  const wasm = readdirSync(join(dist, 'assets')).find((name) => name.endsWith('.wasm')) ?? ''
  cpSync(join(dist, 'assets', wasm), join(html, 'assets', wasm))
  symlinkSync('.', join(html, 'below'))

  const port = await freePort()
  const configuration = join(folder, 'nginx.conf')
  const text = readFileSync(join(root, 'hosting', 'nginx.conf'), 'utf8')
  writeFileSync(configuration, text.replace('listen 8080', `listen 127.0.0.1:${port}`))
  const asRoot = process.getuid?.() === 0 ? 'user root; ' : ''
  const args = ['-p', `${folder}/`, '-c', configuration, '-g', `${asRoot}daemon off;`]
  const server = spawn(findOrInstallNginx(), args, { stdio: ['ignore', 'inherit', 'inherit'] })
  return {
    url: `http://127.0.0.1:${port}/`,
    stop() {
      server.kill('SIGTERM')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

/**
 * As fetch, which would undo the compression.
 * @param {string} path
 * @param {Record<string, string>} [headers]
 * @returns {Promise<{ status: number | undefined, headers: import('node:http').IncomingHttpHeaders, body: Buffer }>}
 */
function get(path, headers = {}) {
  return new Promise((resolve, reject) => {
    request(new URL(path, host.url), { headers }, (response) => {
      /** @type {Buffer[]} */
      const chunks = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('end', () =>
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) }),
      )
    })
      .once('error', reject)
      .end()
  })
}

const assets = readdirSync(join(dist, 'assets'))
const entry = `assets/${assets.find((name) => /^index-.*\.js$/.test(name))}`
const engine = `assets/${assets.find((name) => /^worker-.*\.js$/.test(name))}`

/** A path below the app's folder, as its lower-cased headers should be. */
const expected = (/** @type {string} */ path) =>
  Object.fromEntries(
    Object.entries({ ...headersOf(path), 'Cache-Control': cacheControl(path) }).map(([name, value]) => [
      name.toLowerCase(),
      value,
    ]),
  )

test('every file comes with the headers that the page wants, at the root and below a path', async () => {
  const prefixes = hasDocker ? [''] : ['', 'below/']
  for (const prefix of prefixes) {
    for (const path of [
      '',
      'index.html',
      'bench.html',
      'service-worker.js',
      'manifest.webmanifest',
      entry,
      engine,
    ]) {
      const { status, headers } = await get(prefix + path)
      expect([status, headers], prefix + path).toEqual([200, expect.objectContaining(expected(path))])
    }
  }
})

test('types are those that browsers insist on', async () => {
  const wasm = basename(assets.find((name) => name.endsWith('.wasm')) ?? '')
  const module = basename(assets.find((name) => name.endsWith('.mjs')) ?? '')
  for (const [path, type] of [
    ['', /^text\/html; charset=utf-8$/],
    [entry, /^(text|application)\/javascript/],
    [`assets/${module}`, /^(text|application)\/javascript/],
    [`assets/${wasm}`, /^application\/wasm$/],
    ['manifest.webmanifest', /^application\/manifest\+json/],
    ['models/models.json', /^application\/json/],
    ['icon.svg', /^image\/svg\+xml/],
  ]) {
    expect((await get(String(path))).headers['content-type'], String(path)).toMatch(type)
  }
})

test('text comes in brotli, in gzip, or as it is, and caches are told apart', async () => {
  const plain = await get(entry)
  const brotli = await get(entry, { 'Accept-Encoding': 'gzip, br' })
  const gzip = await get(entry, { 'Accept-Encoding': 'gzip' })
  expect([plain, brotli, gzip].map(({ headers }) => headers['content-encoding'])).toEqual([
    ...[undefined, 'br', 'gzip'],
  ])
  expect(plain.body.equals(readFileSync(join(dist, entry))) || hasDocker).toBe(true)
  expect(brotliDecompressSync(brotli.body).equals(plain.body)).toBe(true)
  expect(gunzipSync(gzip.body).equals(plain.body)).toBe(true)
  expect(brotli.body.length).toBeLessThan(gzip.body.length)
  expect(gzip.headers.vary).toMatch(/accept-encoding/i)
  expect(brotli.headers['cross-origin-embedder-policy']).toBe('require-corp')
})

test('what is not there is 404, is not kept, and is never the page', async () => {
  for (const path of ['nothing', 'assets/gone-12345678.js', 'models/nothing/manifest.json']) {
    const { status, headers, body } = await get(path)
    expect([status, headers['cache-control']], path).toEqual([404, 'no-cache'])
    expect(body.includes('id="app"')).toBe(false)
    expect(headers['cross-origin-embedder-policy']).toBe('require-corp')
  }
})

test('what has not changed is not sent again, and a part of a file can be asked for', async () => {
  const { headers } = await get('index.html')
  expect((await get('index.html', { 'If-None-Match': headers.etag ?? '' })).status).toBe(304)
  const part = await get('models/models.json', { Range: 'bytes=0-9' })
  expect([part.status, part.body.length]).toEqual([206, 10])
})

test('it says that it is well', async () => {
  const { status, body } = await get('healthz')
  expect([status, body.toString()]).toEqual([200, 'ok\n'])
  if (host.container === undefined) return
  const health = () =>
    docker('inspect', '--format', '{{.State.Health.Status}}', host.container ?? '').stdout.trim()
  await expect.poll(health, { timeout: 60_000, interval: 1000 }).toBe('healthy')
  expect(docker('exec', host.container, 'id', '-u').stdout.trim()).not.toBe('0')
}, 90_000)
