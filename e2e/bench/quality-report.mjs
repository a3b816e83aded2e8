// @ts-check
import { divergenceOf } from '../../scripts/divergence.mjs'

/**
 * @typedef {import('./quality-measure.mjs').QualityReference} QualityReference
 * @typedef {import('./quality-measure.mjs').WindowScores} WindowScores
 * @typedef {import('../../scripts/divergence.mjs').LogProbability} LogProbability
 *
 * @typedef {object} Likelihood
 * @property {number} numTokens
 * @property {number} bitsPerToken mean of minus log2 of the probability of the token that follows
 * @property {number} perplexity 2 to that
 *
 * @typedef {object} Divergence from the reference's distribution, over the positions it lists
 * @property {number} numPositions
 * @property {number} numAgreeing where both find the same token likeliest
 * @property {number} meanKlDivergence nats; a lower bound: the reference's 64 likeliest tokens each by itself, all others as one
 * @property {number} maxKlDivergence
 * @property {number} meanListedMass the probability that the reference gives to the tokens it lists
 *
 * @typedef {object} QualityRow one model file on one backend
 * @property {string} model
 * @property {string} [quantisation] of most weights
 * @property {number} fileBytes
 * @property {string} backend as `--backends` names it
 * @property {string} adapter
 * @property {string} [linears]
 * @property {Likelihood} [scored] over all positions that this row scored; a peer says none
 * @property {Likelihood} [common] over the positions that every row of the run scored
 * @property {Divergence} [divergence] left out where the model's tokens are not the reference's
 * @property {import('./schema.mjs').Agreement} [agreement] over the reference's five likeliest tokens, which a peer can be asked for too, and
 *   the positions that it can be asked at; as `npm run bench` measures it
 * @property {number} [memoryBytes] by its own account
 * @property {number} [processBytes] resident in all of its browser's processes
 * @property {number} prefillTokensPerSecond
 * @property {number} decodeTokensPerSecond
 * @property {number} [scoredTokensPerSecond]
 */

/**
 * @param {readonly (readonly number[])[]} windows natural-log probabilities
 * @param {number} numPositions of each window to count
 * @returns {Likelihood}
 */
export function likelihoodOf(windows, numPositions) {
  const logprobs = windows.flatMap((window) => window.slice(0, numPositions))
  if (logprobs.length === 0) throw new Error('There is no position to count.')
  const bitsPerToken = -logprobs.reduce((sum, logprob) => sum + logprob, 0) / logprobs.length / Math.LN2
  return { numTokens: logprobs.length, bitsPerToken, perplexity: 2 ** bitsPerToken }
}

/**
 * @param {readonly import('./quality-rows.mjs').Measured[]} measured
 * @param {QualityReference} reference
 * @returns {{ rows: QualityRow[], reference: { model: string, sha256: string, common: Likelihood } | undefined }} the reference where
 *   a row was held against it
 */
export function resultsOf(measured, reference) {
  const numCommon = Math.min(
    ...measured.flatMap(({ windows }) => (windows === undefined ? [] : [windows[0]?.logprobs.length ?? 0])),
  )
  const common = (/** @type {readonly { logprobs: readonly number[] }[]} */ windows) =>
    likelihoodOf(
      windows.map(({ logprobs }) => logprobs),
      numCommon,
    )
  const rows = measured.map(({ row, windows }) => ({
    ...row,
    ...(windows !== undefined && { common: common(windows) }),
  }))
  const { model, sha256 } = reference
  const isCompared = rows.some(({ divergence }) => divergence !== undefined)
  return {
    rows,
    reference: isCompared ? { model, sha256, common: common(reference.windows) } : undefined,
  }
}

/**
 * @param {QualityReference} reference
 * @param {readonly WindowScores[]} windows
 * @returns {Divergence}
 */
export function divergenceFrom(reference, windows) {
  const steps = windows.flatMap(({ compared }, index) =>
    compared.map(({ best, found }, i) => {
      const listed = reference.windows[index]?.top[i]
      if (listed === undefined) throw new Error(`The reference lists no position ${i} of window ${index}.`)
      /** @type {LogProbability[]} */
      const expected = listed.tokens.map((token, rank) => [token, listed.logprobs[rank] ?? Number.NaN])
      return {
        klDivergence: divergenceOf(expected, found),
        agrees: listed.tokens[0] === best,
        listedMass: listed.logprobs.reduce((sum, logprob) => sum + Math.exp(logprob), 0),
      }
    }),
  )
  if (steps.length === 0) throw new Error('No position of the reference was scored.')
  const mean = (/** @type {'klDivergence' | 'listedMass'} */ name) =>
    steps.reduce((sum, step) => sum + step[name], 0) / steps.length
  return {
    numPositions: steps.length,
    numAgreeing: steps.filter(({ agrees }) => agrees).length,
    meanKlDivergence: mean('klDivergence'),
    maxKlDivergence: Math.max(...steps.map(({ klDivergence }) => klDivergence)),
    meanListedMass: mean('listedMass'),
  }
}

/**
 * Whether a model reads the text as the reference did: the same tokens.
 * @param {QualityReference} reference
 * @param {readonly (readonly number[])[]} windows
 */
export function sharesTokens(reference, windows) {
  return (
    reference.windows.length === windows.length &&
    reference.windows.every(
      ({ tokens }, i) =>
        tokens.length === windows[i]?.length && tokens.every((token, at) => token === windows[i]?.[at]),
    )
  )
}

/**
 * The table for the terminal.
 * @param {readonly QualityRow[]} rows
 * @param {{ model: string, common: Likelihood } | undefined} reference
 */
export function describeQualities(rows, reference) {
  const numCommon = rows.find(({ common }) => common !== undefined)?.common?.numTokens ?? 0
  const head = [
    'model',
    'file',
    'backend',
    `bits/token of ${count(numCommon)}`,
    'perplexity',
    'of all scored',
    'mean KL',
    'worst KL',
    'top-1',
    'KL of 5',
    'top-1 there',
    'memory',
    'processes',
    'decode',
    'prefill',
  ]
  const lines = rows.map(({ scored, common, divergence, agreement, ...row }) => [
    [row.model, row.quantisation].filter((part) => part !== undefined).join(' '),
    megabytes(row.fileBytes),
    row.linears === undefined || row.backend.includes(row.linears)
      ? row.backend
      : `${row.backend} ${row.linears}`,
    common?.bitsPerToken.toFixed(4) ?? notSaid,
    common?.perplexity.toFixed(3) ?? notSaid,
    scored === undefined ? notSaid : `${scored.perplexity.toFixed(3)} (${count(scored.numTokens)})`,
    divergence?.meanKlDivergence.toExponential(1) ?? (scored === undefined ? notSaid : 'no reference'),
    divergence?.maxKlDivergence.toExponential(1) ?? notSaid,
    divergence === undefined ? notSaid : `${divergence.numAgreeing} of ${divergence.numPositions}`,
    agreement?.meanKlDivergence.toExponential(1) ?? notSaid,
    agreement === undefined ? notSaid : `${agreement.numAgreeing} of ${agreement.numSteps}`,
    megabytes(row.memoryBytes),
    megabytes(row.processBytes),
    `${row.decodeTokensPerSecond.toFixed(1)} tok/s`,
    `${row.prefillTokensPerSecond.toFixed(1)} tok/s`,
  ])
  if (reference !== undefined) {
    const { bitsPerToken, perplexity } = reference.common
    const name = `${reference.model}, float64`
    lines.push([name, '', 'reference', bitsPerToken.toFixed(4), perplexity.toFixed(3)])
  }
  const widths = head.map((_, i) => Math.max(...[head, ...lines].map((line) => (line[i] ?? '').length)))
  const table = [head, ...lines].map((line) =>
    line
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  const masses = rows.flatMap(({ divergence }) =>
    divergence === undefined ? [] : [divergence.meanListedMass],
  )
  const notes = [
    `Bits and perplexity are of the ${count(numCommon)} positions that every row scored; "of all scored" is each row's own.`,
    ...(masses[0] === undefined
      ? []
      : [
          `KL is from ${reference?.model}, float64, in nats, over its 64 likeliest tokens (${(masses[0] * 100).toFixed(1)}% of the probability) and all others as one: a lower bound.`,
        ]),
    ...(rows.every(({ agreement }) => agreement === undefined)
      ? []
      : [
          '"KL of 5" is over its 5 likeliest, where a peer can be asked too: the only one to compare peers by.',
        ]),
  ]
  return [...table, '', ...notes].join('\n')
}

const count = (/** @type {number} */ value) => value.toLocaleString('en')

const notSaid = '–'

const megabytes = (/** @type {number | undefined} */ bytes) =>
  bytes === undefined ? notSaid : `${(bytes / 1e6).toFixed(1)} MB`
