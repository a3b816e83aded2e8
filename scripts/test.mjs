// @ts-check
import { mkdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { findOrInstallChromium } from './chromium.mjs'
import { root, runAsScript, ScriptError } from './command-line.mjs'
import { fetchModel } from './fetch-model.mjs'
import { cleanEnvironment, ensureBuilt, ensureInstalled, ensureNode } from './setup.mjs'
import { countPlaywright, countVitest, total } from './test-counts.mjs'
import { failed, reports, runPart } from './test-part.mjs'

/** @typedef {import('./test-counts.mjs').Counts} Counts */
/** @typedef {import('./test-part.mjs').Part} Part */

const bin = (/** @type {string} */ path) => join(root, 'node_modules', path)

/** @type {(name: string, projects: readonly string[], more?: readonly string[]) => Part} */
const vitest = (name, projects, more = []) => ({
  name,
  args: [
    ...[bin('vitest/vitest.mjs'), 'run', '--reporter=default', '--reporter=json'],
    ...projects.map((project) => `--project=${project}`),
    ...more,
  ],
  report: (path) => [`--outputFile.json=${path}`],
  // Two that bundle their dependencies into one folder at once take them from each other.
  environment: () => ({ VITE_CACHE: name.replaceAll(/\W+/g, '-') }),
  count: countVitest,
})

/**
 * By the name that a person gives, in the order of their beginning: the longest first, and alone at the end what goes by a clock.
 * @type {Readonly<Record<string, readonly Part[]>>}
 */
const parts = {
  biome: [{ name: 'biome', args: [bin('@biomejs/biome/bin/biome'), 'check', '.'] }],
  imports: [
    {
      name: 'imports',
      args: [
        bin('dependency-cruiser/bin/dependency-cruise.mjs'),
        '--config',
        'dependency-cruiser.config.mjs',
        'packages',
      ],
    },
  ],
  types: [{ name: 'types', args: [bin('typescript/bin/tsc'), '--noEmit'] }],
  browser: [1, 2, 3].map((shard) => vitest(`browser ${shard}`, ['browser'], [`--shard=${shard}/3`])),
  models: [vitest('models', ['models-node', 'models-browser'])],
  kernels: [vitest('kernels', ['kernels'])],
  unit: [vitest('unit', ['unit'])],
  hosting: [vitest('hosting', ['hosting'])],
  e2e: [
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
      alone: true,
    },
  ],
  // Bytes as they are; times only against gross mistakes, since other things run on a machine that tests.
  budget: [{ name: 'budget', args: ['scripts/page-budget.mjs', '--room', '10'], alone: true }],
}

/** Most tests wait or compute on one processor: two parts side by side, where there are two. */
const numLanes = Math.min(2, availableParallelism())

/**
 * @param {readonly Part[]} wanted
 * @param {NodeJS.ProcessEnv} environment
 * @returns {Promise<readonly (Counts & { repeated?: string })[]>}
 */
async function runParts(wanted, environment) {
  /** @type {(Counts & { repeated?: string })[]} */
  const counts = []
  const together = wanted.filter(({ alone }) => !alone)
  const live = together.length === 1 || numLanes === 1
  const waiting = [...together]
  const lane = async () => {
    for (let part = waiting.shift(); part !== undefined; part = waiting.shift())
      counts.push(await runPart(part, environment, { live }))
  }
  await Promise.all(Array.from({ length: numLanes }, lane))
  for (const part of wanted.filter(({ alone }) => alone))
    counts.push(await runPart(part, environment, { live: true }))
  return counts
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
  const unknown = names.filter((name) => !Object.hasOwn(parts, name))
  if (unknown.length > 0) {
    throw new ScriptError(
      `There is no part ${unknown.join(', ')}. Known are: ${Object.keys(parts).join(', ')}.`,
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
    const wanted = Object.keys(parts).filter((name) => names.length === 0 || names.includes(name))
    if (wanted.some((name) => ['e2e', 'hosting', 'budget'].includes(name)))
      counts.push(await setUp(ensureBuilt))
    const ran = await runParts(
      wanted.flatMap((name) => parts[name] ?? []),
      environment,
    )
    for (const { repeated } of ran) if (repeated) console.log(`\nRun twice: ${repeated}`)
    counts.push(...ran)
  }
  const { passed, failures } = total(counts)
  // Once more at the end, where someone who reads only that looks.
  if (failures.length > 0) console.log(`\nWhat failed:\n${failures.join('\n')}`)
  console.log(`\n${passed} passed, ${failures.length} failed`)
  process.exit(failures.length === 0 && passed > 0 ? 0 : 1)
})
