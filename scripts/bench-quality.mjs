// @ts-check
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { arch, cpus, platform } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { reasonOf, root, runAsScript, ScriptError } from './command-line.mjs'
import { fetchModel } from './fetch-model.mjs'
import { ensureBuilt, ensureInstalled } from './setup.mjs'

const defaultBackends = 'wasm,wasm-int8,ort-f32,ort-int8,webgpu,wllama'

const usage = `Usage: npm run bench:quality -- [options]
How well a model predicts a text, and how near it is to the float64 model: per backend and per quantisation, and a peer beside them.
  --models LIST     names of public/models/models.json, URLs or GGUF files, with commas; the default model if left out
  --backends LIST   wasm (activations of 15 bits), wasm-1 (one thread), wasm-int8, wasm-f32, ort-f32, ort-int8, webgpu, reference, and
                    wllama with two threads; ${defaultBackends} if left out
  --tokens N        positions to score in each row; all 4,472 of the text, and 1,024 on a software adapter, if left out
  --reference FILE  made by scripts/fixtures/quality_reference.py; the default model's if left out
  --out FILE        write the rows there as JSON
  --gpu             use this machine's GPU instead of the software adapter
  --verbose         show the page's console`

const knownBackends = [
  ...['wasm', 'wasm-1', 'wasm-int8', 'wasm-f32', 'ort-f32', 'ort-int8', 'webgpu', 'reference'],
  'wllama',
]

/** A row that is not there by then hangs: reading the whole text takes the slowest a tenth of it. */
const rowDeadlineMs = 60 * 60_000

/** @typedef {import('../e2e/bench/quality-measure.mjs').QualityReference} QualityReference */

await runAsScript(import.meta.url, async (args) => {
  const options = readOptions(args)
  ensureInstalled()
  for (const { name, isFile } of options.models) {
    if (!isFile && !/[:/]/.test(name)) await fetchModel({ id: name, log: console.error })
  }
  ensureBuilt()
  const { progressOf } = await import('../e2e/bench/quality-measure.mjs')
  const { describeQualities, resultsOf } = await import('../e2e/bench/quality-report.mjs')
  const { measureQuality } = await import('../e2e/bench/quality-rows.mjs')
  const { withDeadline } = await import('../e2e/bench/system.mjs')

  /** @type {import('../e2e/bench/quality-rows.mjs').Measured[]} */
  const measured = []
  /** @type {string[]} */
  const failures = []
  const settings = options.models.flatMap((model) => options.backends.map((backend) => ({ model, backend })))
  for (const [index, { model, backend }] of settings.entries()) {
    const label = `${index + 1} of ${settings.length}: ${model.name} on ${backend}`
    const progress = progressLine(label)
    const onConsole = (/** @type {string} */ line) => {
      const done = progressOf(line)
      if (done !== undefined) progress.update(done)
      else if (options.verbose) console.error(`page: ${line}`)
    }
    try {
      const measuring = measureQuality(backend, { ...options, model, onConsole, progress })
      measured.push(await withDeadline(measuring, rowDeadlineMs, 'The row'))
    } catch (error) {
      failures.push(`${model.name} on ${backend} has no row: ${reasonOf(error)}`)
      console.error(`error: ${label}: ${reasonOf(error)}`)
    }
    // After each: what ends the run leaves as much.
    if (options.out !== undefined && measured.length > 0)
      saveResults(options.out, { ...resultsOf(measured, options.reference), failures })
  }
  if (measured.length === 0) process.exit(1)
  const { rows, reference } = resultsOf(measured, options.reference)
  console.log(`\n${[describeQualities(rows, reference), ...failures].join('\n')}`)
  process.exit(failures.length === 0 ? 0 : 1)
})

/**
 * @param {string} path
 * @param {object} results
 */
function saveResults(path, results) {
  mkdirSync(dirname(resolve(path)), { recursive: true })
  const machine = { platform: platform(), arch: arch(), cpu: cpus()[0]?.model, numCores: cpus().length }
  const file = { version: 1, date: new Date().toISOString(), machine, ...results }
  writeFileSync(path, `${JSON.stringify(file, null, 2)}\n`)
}

/**
 * Lines on stderr: what happens, and while positions are scored how many, how fast and how long still.
 * @param {string} label
 */
function progressLine(label) {
  const { stderr } = process
  const intervalMs = stderr.isTTY ? 200 : 10_000
  let total = 0
  let startMs = 0
  let drawnAtMs = 0
  return {
    /** @param {string} what */
    say(what) {
      stderr.write(stderr.isTTY ? `\r\x1b[K${label}: ${what}\n` : `${label}: ${what}\n`)
    },
    /** @param {number} positions */
    begin(positions) {
      total = positions
      startMs = performance.now()
    },
    /** @param {number} done */
    update(done) {
      const now = performance.now()
      if (now - drawnAtMs < intervalMs || done === 0) return
      drawnAtMs = now
      const perSecond = (done / (now - startMs)) * 1000
      const left = Math.ceil((total - done) / perSecond)
      const line = `${label}: ${done} of ${total} positions, ${perSecond.toFixed(1)} a second, ${left} s left`
      stderr.write(stderr.isTTY ? `\r\x1b[K${line}` : `${line}\n`)
    },
  }
}

/** @param {string[]} args */
function readOptions(args) {
  const values = parse(args)
  if (values.help) {
    console.log(usage)
    process.exit(0)
  }
  const listOf = (/** @type {string} */ text) => text.split(',').filter((name) => name !== '')
  const backends = listOf(values.backends ?? defaultBackends)
  const unknown = backends.find((name) => !knownBackends.includes(name))
  if (unknown !== undefined || backends.length === 0) {
    throw new ScriptError(`Backends are ${knownBackends.join(', ')}, not "${unknown ?? ''}".`)
  }
  const tokens = values.tokens === undefined ? undefined : Number(values.tokens)
  if (tokens !== undefined && !(Number.isInteger(tokens) && tokens > 0)) {
    throw new ScriptError(`--tokens is "${values.tokens}"; it must be a whole number above 0.`)
  }
  const names = listOf(values.models ?? readJson(join(root, 'public', 'models', 'models.json')).default)
  const ownReference = join(root, 'e2e', 'bench', 'fixtures', 'quality-smollm2-135m-instruct.json')
  /** @type {QualityReference} */
  const reference = readJson(values.reference ?? ownReference)
  return {
    models: names.map((name) => {
      const isFile = existsSync(name)
      return { name: isFile ? resolve(name) : name, isFile }
    }),
    backends,
    tokens,
    reference,
    out: values.out,
    gpu: values.gpu ?? false,
    verbose: values.verbose ?? false,
  }
}

/** @param {string[]} args */
function parse(args) {
  try {
    return parseArgs({
      args,
      options: {
        models: { type: 'string' },
        backends: { type: 'string' },
        tokens: { type: 'string' },
        reference: { type: 'string' },
        out: { type: 'string' },
        gpu: { type: 'boolean' },
        verbose: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    }).values
  } catch (error) {
    throw new ScriptError(`${reasonOf(error)}\n${usage}`)
  }
}

/** @param {string} file */
function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new ScriptError(`${file} cannot be read as JSON: ${reasonOf(error)}`)
  }
}
