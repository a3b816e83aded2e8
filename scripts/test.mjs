// @ts-check
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { findOrInstallChromium } from './chromium.mjs'
import { root, runAsScript, ScriptError } from './command-line.mjs'
import { fetchModel } from './fetch-model.mjs'
import { cleanEnvironment, ensureBuilt, ensureInstalled, ensureNode } from './setup.mjs'
import { countPlaywright, countVitest, total } from './test-counts.mjs'

/** @typedef {import('./test-counts.mjs').Counts} Counts */

/** A part that runs longer hangs: it is ended and counts as failed. */
const deadlineMs = 25 * 60_000

const bin = (/** @type {string} */ path) => join(root, 'node_modules', path)
const reports = join(root, '.cache', 'reports')
/** @type {(name: string, projects?: readonly string[]) => Part} */
const vitest = (name, projects = [name]) => ({
  name,
  args: [
    ...[bin('vitest/vitest.mjs'), 'run', '--reporter=default', '--reporter=json'],
    ...projects.map((project) => `--project=${project}`),
  ],
  report: (path) => [`--outputFile.json=${path}`],
  count: countVitest,
})

/**
 * @typedef {object} Part
 * @property {string} name
 * @property {readonly string[]} args of node
 * @property {(path: string) => string[]} [report] further arguments: where the report goes
 * @property {(path: string) => NodeJS.ProcessEnv} [environment] the same, for a tool that takes it from there
 * @property {(report: any) => Counts} [count] left out, the part is one check, passed or failed
 */

/** @type {readonly Part[]} */
const parts = [
  { name: 'biome', args: [bin('@biomejs/biome/bin/biome'), 'check', '.'] },
  {
    name: 'imports',
    args: [
      bin('dependency-cruiser/bin/dependency-cruise.mjs'),
      '--config',
      'dependency-cruiser.config.mjs',
      'packages',
    ],
  },
  { name: 'types', args: [bin('typescript/bin/tsc'), '--noEmit'] },
  vitest('unit'),
  vitest('browser'),
  vitest('kernels'),
  vitest('models', ['models-node', 'models-browser']),
  {
    name: 'e2e',
    args: [
      bin('@playwright/test/cli.js'),
      'test',
      '--config',
      'e2e/playwright.config.ts',
      '--reporter=list,json',
    ],
    environment: (path) => ({ PLAYWRIGHT_JSON_OUTPUT_FILE: path }),
    count: countPlaywright,
  },
  vitest('hosting'),
  // Bytes as they are; times only against gross mistakes, since other things run on a machine that tests.
  { name: 'budget', args: ['scripts/page-budget.mjs', '--room', '10'] },
]

/**
 * @param {Part} part
 * @param {NodeJS.ProcessEnv} environment
 * @returns {Promise<Counts>}
 */
async function runPart(part, environment) {
  console.log(`\n=== ${part.name} ===`)
  const path = join(reports, `${part.name}.json`)
  rmSync(path, { force: true })
  const args = [...part.args, ...(part.report?.(path) ?? [])]
  const ended = await runToEnd(args, { ...environment, ...part.environment?.(path) })
  if (part.count === undefined)
    return ended.complaint ? failed(`${part.name} ${ended.complaint}`) : { passed: 1, failures: [] }
  const counts = readCounts(part.count, path)
  if (counts === undefined || counts.passed + counts.failures.length === 0) {
    return failed(
      `${part.name} ran no test, which counts as a failure: it ${ended.complaint ?? 'ended without one.'}`,
    )
  }
  // A crash outside of any test fails the part as a whole.
  if (ended.complaint && counts.failures.length === 0) {
    return total([counts, failed(`${part.name} ${ended.complaint}`)])
  }
  return counts
}

/** @param {string} what @returns {Counts} */
function failed(what) {
  console.error(what)
  return { passed: 0, failures: [what] }
}

/**
 * @param {(report: any) => Counts} count
 * @param {string} path
 */
function readCounts(count, path) {
  try {
    return count(JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    return undefined
  }
}

/**
 * @param {readonly string[]} args of node
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<{ complaint?: string }>}
 */
function runToEnd(args, env) {
  // Its own process group, so that browsers and servers that it started end with it.
  const child = spawn(process.execPath, args, {
    cwd: root,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: process.platform !== 'win32',
  })
  const end = () => {
    try {
      process.kill(process.platform === 'win32' ? (child.pid ?? 0) : -(child.pid ?? 0), 'SIGKILL')
    } catch {
      // It has ended already.
    }
  }
  process.once('exit', end)
  return new Promise((resolve) => {
    let complaint = ''
    const deadline = setTimeout(() => {
      complaint = `took longer than ${deadlineMs / 60_000} minutes and was ended.`
      end()
    }, deadlineMs)
    child.once('error', (error) => {
      complaint = `could not be started: ${error.message}`
    })
    child.once('close', (code, signal) => {
      clearTimeout(deadline)
      end()
      process.off('exit', end)
      if (code !== 0) complaint ||= signal ? `was ended by ${signal}.` : `failed with exit code ${code}.`
      resolve(complaint ? { complaint } : {})
    })
  })
}

/**
 * A step of the set-up, as a check like any other: what goes wrong is said and counted, and the rest still runs.
 * @param {() => unknown} step
 * @returns {Promise<Counts>}
 */
async function setUp(step) {
  try {
    await step()
    return { passed: 0, failures: [] }
  } catch (error) {
    return failed(error instanceof ScriptError ? `error: ${error.message}` : inspect(error))
  }
}

await runAsScript(import.meta.url, async (names) => {
  const unknown = names.filter((name) => !parts.some((part) => part.name === name))
  if (unknown.length > 0) {
    throw new ScriptError(
      `There is no part ${unknown.join(', ')}. Known are: ${parts.map(({ name }) => name).join(', ')}.`,
    )
  }
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM']))
    process.once(signal, () => process.exit(130))
  const environment = cleanEnvironment()
  const counts = [await setUp(ensureNode), await setUp(ensureInstalled)]
  if (total(counts).failures.length === 0) {
    mkdirSync(reports, { recursive: true })
    counts.push(
      await setUp(() => fetchModel({ needFile: true })),
      await setUp(() => fetchModel({ id: 'qwen2.5-coder-0.5b-instruct' })),
      // For the tests alone: whoever runs them accepts its terms, which the line it prints names.
      await setUp(() => fetchModel({ id: 'gemma-3-270m', acceptTerms: true })),
      await setUp(() => fetchModel({ id: 'all-minilm-l6-v2' })),
      await setUp(() => fetchModel({ id: 'silero-vad' })),
      await setUp(async () => {
        environment.CHROMIUM_PATH = await findOrInstallChromium()
        console.log(`Testing in ${environment.CHROMIUM_PATH}`)
      }),
    )
    for (const part of parts.filter(({ name }) => names.length === 0 || names.includes(name))) {
      if (['e2e', 'hosting'].includes(part.name)) counts.push(await setUp(ensureBuilt))
      counts.push(await runPart(part, environment))
    }
  }
  const { passed, failures } = total(counts)
  // Once more at the end, where someone who reads only that looks.
  if (failures.length > 0) console.log(`\nWhat failed:\n${failures.join('\n')}`)
  console.log(`\n${passed} passed, ${failures.length} failed`)
  process.exit(failures.length === 0 && passed > 0 ? 0 : 1)
})
