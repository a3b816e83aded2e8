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
 * @param {readonly string[]} wanted ids of systems that ratios are taken to, the table's first
 * @returns {{ baseline: string | null, otherBaselines: string[], systems: SystemResult[] }}
 */
export function resultsOf(all, tests, limits, [wanted, ...wantedToo]) {
  // What it did before it failed was measured; only what is no answer of the model's is no measure.
  const measures = all.filter(
    ({ result, runs }) =>
      result.status !== 'wrong-output' && [...runs.values()].some((runs) => runs.length > 0),
  )
  const baseline = measures.find(({ result }) => result.id === wanted)
  const others = measures.filter(({ result }) => result.id !== wanted && wantedToo.includes(result.id))
  const systems = all.map((one) => {
    const limit = limits.find(({ id }) => one.limit !== undefined && id === limitId(one.limit))
    const entries = tests.flatMap((test) => {
      const runs = one.runs.get(test.id) ?? []
      if (runs.length === 0) return []
      const result = testResult(test, runs, one === baseline ? undefined : baseline?.runs.get(test.id))
      const otherRatios = others.flatMap((other) => {
        const ratio =
          other === one
            ? undefined
            : ratioWithinRounds(runs, other.runs.get(test.id) ?? [], test.higherIsBetter)
        return ratio === undefined ? [] : [[other.result.id, ratio]]
      })
      const share = shareOfLimit(test, runs, one.result.weightBytesPerToken, limit)
      return [
        [
          test.id,
          {
            ...result,
            ...(otherRatios.length > 0 && { otherRatios: Object.fromEntries(otherRatios) }),
            ...(share !== undefined && { shareOfLimit: share }),
          },
        ],
      ]
    })
    const contextCost = contextCostOf(tests, one.runs)
    return {
      ...one.result,
      ...(contextCost !== undefined && { contextCost }),
      ...(limit !== undefined && { limit: limit.id }),
      tests: Object.fromEntries(entries),
    }
  })
  return {
    baseline: baseline?.result.id ?? null,
    otherBaselines: others.map(({ result }) => result.id),
    systems,
  }
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
 * @param {readonly BenchTest[]} tests
 * @param {Measured['runs']} runs
 * @returns {import('./schema.mjs').ContextCost | undefined} undefined where fewer than two contexts were measured
 */
function contextCostOf(tests, runs) {
  const contexts = tests
    .filter(({ kind }) => kind === 'context')
    .toSorted((a, b) => (a.promptTokens ?? 0) - (b.promptTokens ?? 0))
  const [from, to] = [contexts[0], contexts.at(-1)]
  if (from === undefined || to === undefined || from === to) return undefined
  // Costs are inverse to the rates that were measured.
  const ratio = ratioWithinRounds(runs.get(from.id) ?? [], runs.get(to.id) ?? [], true)
  return ratio && { from: from.id, to: to.id, ...ratio }
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
