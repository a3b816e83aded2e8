// @ts-check
import { ratioWithinRounds, summaryOf } from './statistics.mjs'

/**
 * @typedef {import('./schema.mjs').BenchTest} BenchTest
 * @typedef {import('./schema.mjs').Limit} Limit
 * @typedef {import('./schema.mjs').Run} Run
 * @typedef {import('./schema.mjs').SystemResult} SystemResult
 * @typedef {import('./schema.mjs').TestResult} TestResult
 * @typedef {import('./harness.mjs').Measured} Measured
 */

/**
 * Turns the runs of all rounds into figures: each by itself, to the baseline, and to what the device can read.
 * @param {readonly Measured[]} all
 * @param {readonly BenchTest[]} tests
 * @param {readonly Limit[]} limits
 * @param {string} wantedBaseline id of a system
 * @returns {{ baseline: string | null, systems: SystemResult[] }}
 */
export function resultsOf(all, tests, limits, wantedBaseline) {
  const baseline = all.find(({ result }) => result.id === wantedBaseline && result.status === 'ok')
  const systems = all.map((one) => {
    const limit = limits.find(({ id }) => one.limit !== undefined && id === limitId(one.limit))
    const entries = tests.flatMap((test) => {
      const runs = one.runs.get(test.id) ?? []
      if (runs.length === 0) return []
      const result = testResult(test, runs, one === baseline ? undefined : baseline?.runs.get(test.id))
      const share = shareOfLimit(test, runs, one.result.weightBytesPerToken, limit)
      return [[test.id, { ...result, ...(share !== undefined && { shareOfLimit: share }) }]]
    })
    return {
      ...one.result,
      ...(limit !== undefined && { limit: limit.id }),
      tests: Object.fromEntries(entries),
    }
  })
  return { baseline: baseline?.result.id ?? null, systems }
}

/**
 * @param {import('./system.mjs').LimitQuery} query
 * @returns {string}
 */
export const limitId = ({ device, threads, bytes }) =>
  `${device}${threads === undefined ? '' : `-${threads}`}-${Math.round(bytes / 1e6)}mb`

/**
 * @param {BenchTest} test
 * @param {Run[]} runs
 * @param {readonly Run[] | undefined} baseline
 * @returns {TestResult}
 */
function testResult(test, runs, baseline) {
  const summary = summaryOf(runs.map(({ value }) => value))
  const ratio = baseline && ratioWithinRounds(runs, baseline, test.higherIsBetter)
  return { runs, summary, ...(ratio !== undefined && { ratio }) }
}

/**
 * Of what the device reads in the same round. Only decoding one sequence reads all weights for each token and little else.
 * @param {BenchTest} test
 * @param {readonly Run[]} runs
 * @param {number | undefined} bytesPerToken
 * @param {Limit | undefined} limit
 */
function shareOfLimit(test, runs, bytesPerToken, limit) {
  if (test.kind !== 'decode' || bytesPerToken === undefined || limit === undefined) return undefined
  const shares = runs.flatMap(({ round, value }) => {
    const reading = limit.runs.find((run) => run.round === round)
    return reading === undefined ? [] : [(value * bytesPerToken) / reading.bytesPerSecond]
  })
  return shares.length === 0 ? undefined : summaryOf(shares)
}
