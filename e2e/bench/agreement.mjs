// @ts-check
import { readFileSync } from 'node:fs'
import { compareStep, summarise } from '../../scripts/divergence.mjs'

/**
 * @typedef {import('./schema.mjs').Agreement} Agreement
 * @typedef {import('./system.mjs').ReferenceCase} ReferenceCase
 * @typedef {import('./system.mjs').Session} Session
 * @typedef {import('../../scripts/divergence.mjs').StepComparison} StepComparison
 */

/** Below this share of the steps that are no tie, or above this divergence, the answers are another model's. */
const minAgreement = 0.85
const maxDivergence = 0.1

/** @type {Record<string, string>} a float64 forward pass by the SHA-256 of the file that it was made of */
const references = {
  b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53: 'smollm2-reference.json',
}

const fixtures = '../../packages/runtime/src/backends/reference/fixtures/'

/**
 * @param {string} sha256 of a model's file
 * @returns {ReferenceCase[]} none where nobody computed that model in float64
 */
export function referenceCasesOf(sha256) {
  const file = references[sha256]
  if (file === undefined) return []
  return JSON.parse(readFileSync(new URL(fixtures + file, import.meta.url), 'utf8'))
}

/**
 * How near a system is to the float64 reference, along the reference's own continuations.
 * @param {(reference: ReferenceCase) => ReturnType<NonNullable<Session['follow']>>} follow
 * @param {readonly ReferenceCase[]} cases
 * @returns {Promise<Agreement | undefined>} undefined where no step could be compared
 */
export async function measureAgreement(follow, cases) {
  /** @type {StepComparison[]} */
  const compared = []
  let numSkipped = 0
  for (const reference of cases) {
    const steps = await follow(reference)
    const numSteps = Math.min(steps.length, reference.greedy.length)
    numSkipped += reference.greedy.length - numSteps
    for (const [step, found] of steps.slice(0, numSteps).entries()) {
      compared.push(compareStep(reference.topLogprobs[step] ?? [], found))
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
