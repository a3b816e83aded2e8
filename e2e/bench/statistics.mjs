// @ts-check

/**
 * @typedef {import('./schema.mjs').Summary} Summary
 * @typedef {import('./schema.mjs').Ratio} Ratio
 * @typedef {import('./schema.mjs').Run} Run
 */

/**
 * @param {readonly number[]} values one at least
 * @returns {Summary}
 */
export function summaryOf(values) {
  if (values.length === 0) throw new Error('There is nothing to summarise.')
  const sorted = values.toSorted((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  return {
    min: at(sorted, 0),
    median: (at(sorted, Math.floor(middle)) + at(sorted, Math.ceil(middle))) / 2,
    max: at(sorted, sorted.length - 1),
  }
}

/**
 * How many times as fast as the baseline, round by round: what slows a machine for a while slows both of a round, and
 * goes out of their ratio. A round that only one of them finished does not count.
 * @param {readonly Run[]} runs
 * @param {readonly Run[]} baseline
 * @param {boolean} higherIsBetter
 * @returns {Ratio | undefined} undefined where they share no round
 */
export function ratioWithinRounds(runs, baseline, higherIsBetter) {
  const perRound = runs.flatMap(({ round, value }) => {
    const other = baseline.find((run) => run.round === round)
    if (other === undefined) return []
    return [higherIsBetter ? value / other.value : other.value / value]
  })
  return perRound.length === 0 ? undefined : { ...summaryOf(perRound), perRound }
}

/**
 * Of one and the same work, timed again and again.
 * @param {readonly number[]} values one at least
 * @returns {number} (largest - smallest) / median
 */
export function spreadOf(values) {
  const { min, median, max } = summaryOf(values)
  return (max - min) / median
}

/**
 * @param {readonly number[]} sorted
 * @param {number} index
 */
const at = (sorted, index) => /** @type {number} */ (sorted[index])
