// @ts-check

/**
 * @typedef {import('./schema.mjs').BenchResults} BenchResults
 *
 * @typedef {object} Change of one system in one test, from one file to another
 * @property {string} system
 * @property {string} test
 * @property {number} before how many times as fast as the baseline, the median; without a common baseline, the median figure
 * @property {number | undefined} after undefined where it was not measured
 * @property {number | undefined} speedup above 1, faster
 * @property {boolean} isRegression slower by more than the threshold, or gone
 */

/**
 * Compares ratios to the same baseline, which hold from one hour of a machine to the next; figures as they are only where
 * the files share none. The baseline itself is compared by neither: it is the measure.
 * @param {BenchResults} before
 * @param {BenchResults} after
 * @param {number} threshold a share, such as 0.2
 * @returns {{ baseline: string | null, changes: Change[] }}
 */
export function compareResults(before, after, threshold) {
  const baseline = before.baseline === after.baseline ? before.baseline : null
  const changes = before.systems.flatMap((system) => {
    const other = after.systems.find(({ id }) => id === system.id)
    if (system.id === baseline) return []
    return before.tests.flatMap(({ id, name, higherIsBetter }) => {
      const from = figureOf(system, id, baseline)
      if (from === undefined) return []
      const to = other?.status === 'ok' ? figureOf(other, id, baseline) : undefined
      // A ratio is a speed, also of a time.
      const isSpeed = higherIsBetter || baseline !== null
      const speedup = to === undefined ? undefined : isSpeed ? to / from : from / to
      const isRegression = speedup === undefined || speedup < 1 - threshold
      return [{ system: system.name, test: name, before: from, after: to, speedup, isRegression }]
    })
  })
  return { baseline, changes }
}

/**
 * @param {import('./schema.mjs').SystemResult} system
 * @param {string} test
 * @param {string | null} baseline
 */
function figureOf(system, test, baseline) {
  const result = system.tests[test]
  return baseline === null ? result?.summary.median : result?.ratio?.median
}
