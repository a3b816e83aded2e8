// @ts-check
import { readdirSync, readFileSync } from 'node:fs'
import { compareStep, summarise } from '../../scripts/divergence.mjs'
import { readTokenBytes, textOf } from './token-bytes.mjs'

/**
 * @typedef {import('./schema.mjs').Agreement} Agreement
 * @typedef {import('./system.mjs').ReferenceCase} ReferenceCase
 * @typedef {import('./system.mjs').Session} Session
 * @typedef {import('../../scripts/divergence.mjs').StepComparison} StepComparison
 */

/** Below this share of the steps that are no tie, or above this divergence, the answers are another model's. */
const minAgreement = 0.85
const maxDivergence = 0.1

/** Likeliest tokens of a position that are compared: what every system can be made to report. */
const numListed = 5

const fixtures = new URL('fixtures/', import.meta.url)

/**
 * Positions of a text with what a float64 forward pass finds likeliest there. Left out are those where a likely token is part of a
 * character: one system's worker ends over them, and all are to be compared at the same ones.
 * @param {string} sha256 of a model's file
 * @param {string} path of that file
 * @returns {Promise<ReferenceCase[]>} none where nobody computed that model in float64
 */
export async function readReferenceCases(sha256, path) {
  const files = readdirSync(fixtures).filter((name) => /^quality-.*\.json$/.test(name))
  const fixture = files
    .map((name) => JSON.parse(readFileSync(new URL(name, fixtures), 'utf8')))
    .find((fixture) => fixture.sha256 === sha256)
  return fixture === undefined ? [] : casesOf(fixture, await readTokenBytes(path))
}

/**
 * @param {import('./quality-measure.mjs').QualityReference} fixture
 * @param {readonly Uint8Array[]} tokenBytes
 * @returns {ReferenceCase[]}
 */
export function casesOf({ positions, windows }, tokenBytes) {
  const bytesOf = (/** @type {number} */ token) => tokenBytes[token] ?? new Uint8Array([0xff])
  return windows.map(({ tokens, top }, index) => {
    const steps = positions.flatMap((position, i) => {
      const listed = top[i]
      const prefix = textOf(tokens.slice(0, position + 1).map(bytesOf))
      const isWhole = listed?.tokens.every((token) => textOf([bytesOf(token)]) !== undefined)
      if (listed === undefined || prefix === undefined || !isWhole) return []
      const topLogprobs = listed.tokens
        .slice(0, numListed)
        .map((token, at) => /** @type {const} */ ([token, listed.logprobs[at] ?? Number.NaN]))
      return [{ position, prefix, topLogprobs }]
    })
    const length = (steps.at(-1)?.position ?? 0) + 1
    return { name: `window ${index + 1}`, tokens: tokens.slice(0, length), steps }
  })
}

/**
 * How near a system is to the float64 reference, at positions of the reference's own text.
 * @param {(reference: ReferenceCase) => ReturnType<NonNullable<Session['follow']>>} follow
 * @param {readonly ReferenceCase[]} cases
 * @returns {Promise<Agreement | undefined>} undefined where no step could be compared
 */
export async function measureAgreement(follow, cases) {
  /** @type {StepComparison[]} */
  const compared = []
  let numSkipped = 0
  for (const reference of cases) {
    const found = await follow(reference)
    for (const [index, { topLogprobs }] of reference.steps.entries()) {
      const step = found[index] ?? []
      if (step.length === 0) numSkipped += 1
      else compared.push(compareStep(topLogprobs, step))
    }
  }
  if (compared.length === 0) return undefined
  const { numSteps, numAgreeing, numDecided, numDecidedAgreeing, meanKlDivergence, maxKlDivergence } =
    summarise(compared)
  return {
    numSteps,
    numSkipped,
    numAgreeing,
    numDecided,
    numDecidedAgreeing,
    meanKlDivergence,
    maxKlDivergence,
  }
}

/**
 * The same of a system that gave the windows of the text probabilities already.
 * @param {import('./quality-measure.mjs').QualityReference} reference
 * @param {readonly ReferenceCase[]} cases of its windows
 * @param {readonly import('./quality-measure.mjs').WindowScores[]} windows
 */
export function agreementOfWindows({ positions }, cases, windows) {
  return measureAgreement(async (window) => {
    const compared = windows[cases.indexOf(window)]?.compared ?? []
    return window.steps.map(({ position }) => {
      const step = compared[positions.indexOf(position)]
      if (step === undefined) return []
      const likeliest = step.found.find(([token]) => token === step.best)
      // Where the reference does not list it, only which token it is counts.
      return [likeliest ?? [step.best, 0], ...step.found.filter((one) => one !== likeliest)]
    })
  }, cases)
}

/**
 * @param {Agreement} agreement
 * @returns {string | undefined} what is wrong with the answers, in a sentence
 */
export function wrongnessOf({ numDecided, numDecidedAgreeing, meanKlDivergence }) {
  if (numDecidedAgreeing < minAgreement * numDecided) {
    return `Its likeliest token is the reference’s at ${numDecidedAgreeing} of ${numDecided} steps: these are not the model’s answers.`
  }
  if (meanKlDivergence > maxDivergence) {
    return `Its probabilities are ${meanKlDivergence.toFixed(2)} nats from the reference’s: this is not the model’s distribution.`
  }
  return undefined
}
