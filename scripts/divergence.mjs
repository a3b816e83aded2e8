// @ts-check

/**
 * The natural-log probability of a token id at one step.
 * @typedef {readonly [token: number, logprob: number]} LogProbability
 *
 * @typedef {object} StepComparison
 * @property {number} klDivergence nats; a lower bound, see divergenceOf
 * @property {boolean} agrees whether both find the same token likeliest
 * @property {boolean} isTie whether the reference's best two are nearer than `tieMargin`
 * @property {number} worstLogprobError largest difference over the tokens that both list
 * @property {number} listedMass probability that the reference gives to the tokens that both list
 */

/** Two tokens nearer than this in log-probability are a tie: rounding decides between them. */
export const tieMargin = 0.02

/**
 * A lower bound of the Kullback-Leibler divergence from `found` to `reference`, in nats: over the tokens that both list,
 * each by itself, and all others as one outcome. Joining outcomes can only lower a divergence (the log-sum inequality;
 * Cover and Thomas, Elements of Information Theory, theorem 2.7.1).
 * @param {readonly LogProbability[]} reference
 * @param {readonly LogProbability[]} found
 * @returns {number}
 */
export function divergenceOf(reference, found) {
  let divergence = 0
  let referenceRest = 1
  let foundRest = 1
  for (const { expected, actual } of pairsOf(reference, found)) {
    divergence += Math.exp(expected) * (expected - actual)
    referenceRest -= Math.exp(expected)
    foundRest -= Math.exp(actual)
  }
  // Listed log-probabilities are rounded: where the rest is nothing but that rounding, it may come out at or below zero.
  if (referenceRest > roundingMass) {
    divergence += referenceRest * Math.log(referenceRest / Math.max(foundRest, roundingMass))
  }
  return Math.max(0, divergence)
}

/** What five log-probabilities rounded to five digits may add up to past 1. */
const roundingMass = 3e-5

/**
 * One teacher-forced step against the reference.
 * @param {readonly LogProbability[]} reference the likeliest first, two at least
 * @param {readonly LogProbability[]} found the likeliest first
 * @returns {StepComparison}
 */
export function compareStep(reference, found) {
  const [best, second] = reference
  if (best === undefined || second === undefined)
    throw new Error('The reference lists fewer than two tokens.')
  const pairs = pairsOf(reference, found)
  return {
    klDivergence: divergenceOf(reference, found),
    agrees: found[0]?.[0] === best[0],
    isTie: best[1] - second[1] < tieMargin,
    worstLogprobError: Math.max(0, ...pairs.map(({ expected, actual }) => Math.abs(expected - actual))),
    listedMass: pairs.reduce((sum, { expected }) => sum + Math.exp(expected), 0),
  }
}

/**
 * @param {readonly LogProbability[]} reference
 * @param {readonly LogProbability[]} found
 */
function pairsOf(reference, found) {
  const foundLogprobs = new Map(found)
  return reference.flatMap(([token, expected]) => {
    const actual = foundLogprobs.get(token)
    return actual === undefined ? [] : [{ expected, actual }]
  })
}

/**
 * @param {readonly StepComparison[]} steps
 */
export function summarise(steps) {
  if (steps.length === 0) throw new Error('There is no step to summarise.')
  const mean = (/** @type {(step: StepComparison) => number} */ of) =>
    steps.reduce((sum, step) => sum + of(step), 0) / steps.length
  const decided = steps.filter(({ isTie }) => !isTie)
  return {
    numSteps: steps.length,
    numAgreeing: steps.filter(({ agrees }) => agrees).length,
    numDecided: decided.length,
    numDecidedAgreeing: decided.filter(({ agrees }) => agrees).length,
    meanKlDivergence: mean(({ klDivergence }) => klDivergence),
    maxKlDivergence: Math.max(...steps.map(({ klDivergence }) => klDivergence)),
    worstLogprobError: Math.max(...steps.map(({ worstLogprobError }) => worstLogprobError)),
    meanListedMass: mean(({ listedMass }) => listedMass),
  }
}
