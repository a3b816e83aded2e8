// @ts-check
import { spawn } from 'node:child_process'
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './command-line.mjs'
import { total } from './test-counts.mjs'

/** @typedef {import('./test-counts.mjs').Counts} Counts */

/**
 * @typedef {object} Part
 * @property {string} name
 * @property {readonly string[]} args of node
 * @property {(path: string) => string[]} [report] further arguments: where the report goes
 * @property {(path: string) => NodeJS.ProcessEnv} [environment] the same, for a tool that takes it from there
 * @property {(report: any) => Counts} [count] left out, the part is one check, passed or failed
 * @property {boolean} [alone] it goes by a clock: nothing else runs beside it
 */

/** Where parts leave their reports. */
export const reports = join(root, '.cache', 'reports')

/** A part that runs longer hangs, also on two slow cores that it shares with another: it is ended. */
const deadlineMs = 40 * 60_000

/**
 * Runs a part and prints what it printed: as it comes where `live`, else in one piece at its end, so that parts side by side do
 * not mix. A part that ends without a report, because its browser died or hangs, says so and is run once more.
 * @param {Part} part
 * @param {NodeJS.ProcessEnv} environment
 * @param {{ live: boolean }} options
 * @returns {Promise<Counts & { repeated?: string }>} `repeated` says why it was run twice
 */
export async function runPart(part, environment, options) {
  const first = await runOnce(part, environment, options)
  if (first.counts !== undefined) return first.counts
  console.error(`${first.why} It is run once more.`)
  const second = await runOnce(part, environment, options)
  return { ...(second.counts ?? failed(second.why)), repeated: first.why }
}

/**
 * @param {Part} part
 * @param {NodeJS.ProcessEnv} environment
 * @param {{ live: boolean }} options
 * @returns {Promise<{ counts?: Counts, why: string }>} no counts where there is no report
 */
async function runOnce(part, environment, { live }) {
  const path = join(reports, `${part.name.replaceAll(/\W+/g, '-')}.json`)
  rmSync(path, { force: true })
  const args = [...part.args, ...(part.report?.(path) ?? [])]
  console.log(live ? `\n=== ${part.name} ===` : `… ${part.name}`)
  const startedAt = performance.now()
  const log = path.replace(/json$/, 'log')
  writeFileSync(log, '')
  const env = { ...environment, ...part.environment?.(path) }
  const { complaint, output } = await runToEnd(args, env, { live, log })
  const seconds = Math.round((performance.now() - startedAt) / 1000)
  console.log(live ? `(${part.name}: ${seconds} s)` : `\n=== ${part.name} (${seconds} s) ===\n${output}`)
  if (part.count === undefined) {
    return { counts: complaint ? failed(`${part.name} ${complaint}`) : { passed: 1, failures: [] }, why: '' }
  }
  const counts = readCounts(part.count, path)
  if (counts === undefined || counts.passed + counts.failures.length === 0) {
    const last = output.trimEnd().split('\n').at(-1)
    return {
      why: `${part.name} ran no test, which counts as a failure: it ${complaint ?? 'ended without one.'} Its last line: ${last}`,
    }
  }
  // A crash outside of any test fails the part as a whole.
  const crashed = complaint && counts.failures.length === 0
  return { counts: crashed ? total([counts, failed(`${part.name} ${complaint}`)]) : counts, why: '' }
}

/** @param {string} what @returns {Counts} */
export function failed(what) {
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
 * @param {{ live: boolean, log: string }} options where its output goes
 * @returns {Promise<{ complaint?: string, output: string }>}
 */
function runToEnd(args, env, { live, log }) {
  // Its own process group, so that browsers and servers that it started end with it.
  const child = spawn(process.execPath, args, {
    cwd: root,
    env,
    stdio: ['ignore', live ? 'inherit' : 'pipe', live ? 'inherit' : 'pipe'],
    detached: process.platform !== 'win32',
  })
  /** @type {Buffer[]} */
  const printed = []
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      printed.push(chunk)
      // For whoever wants to see how far it is.
      appendFileSync(log, chunk)
    })
  }
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
    // What it started may hold its output open: they end with it.
    child.once('exit', end)
    child.once('close', (code, signal) => {
      clearTimeout(deadline)
      process.off('exit', end)
      if (code !== 0) complaint ||= signal ? `was ended by ${signal}.` : `failed with exit code ${code}.`
      resolve({ ...(complaint && { complaint }), output: Buffer.concat(printed).toString() })
    })
  })
}
