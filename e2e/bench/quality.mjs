// @ts-check
import { readFileSync } from 'node:fs'
import { compareStep, summarise } from '../../scripts/divergence.mjs'
import { deviceOf } from './measure.mjs'
import { complete } from './session.mjs'

/**
 * @typedef {import('./session.mjs').EngineHandle} EngineHandle
 * @typedef {import('../../scripts/divergence.mjs').LogProbability} LogProbability
 * @typedef {import('../../scripts/divergence.mjs').StepComparison} StepComparison
 *
 * @typedef {object} ReferenceCase a float64 forward pass of the default model's file
 * @property {string} name
 * @property {string} text
 * @property {readonly number[]} tokens of the text
 * @property {readonly number[]} greedy the continuation
 * @property {readonly (readonly LogProbability[])[]} topLogprobs the five likeliest of each step
 */

/** @type {readonly ReferenceCase[]} */
const referenceCases = JSON.parse(
  readFileSync(
    new URL('../../packages/runtime/src/backends/reference/fixtures/smollm2-reference.json', import.meta.url),
    'utf8',
  ),
)

/** The most that a request may ask for: what the reference lists and a backend does not is compared as part of the rest. */
const numTopLogprobs = 20

/**
 * How near a backend is to the float64 reference, step by step along the reference's own continuation.
 * @param {EngineHandle} engine of the default model
 * @param {(line: string) => void} log
 */
export async function measureQuality(engine, log) {
  /** @type {StepComparison[]} */
  const steps = []
  let numSkipped = 0
  for (const reference of referenceCases) {
    log(`${reference.name}: ${reference.greedy.length} steps`)
    const compared = await compareCase(engine, reference)
    steps.push(...compared)
    numSkipped += reference.greedy.length - compared.length
  }
  return {
    ...(await deviceOf(engine)),
    numCases: referenceCases.length,
    numSkipped,
    ...summarise(steps),
  }
}

/**
 * Follows the reference's tokens. An answer serves for as long as the backend chooses as the reference does; where it does
 * not, the next request's prompt is the text up to and with the reference's choice, most of which is cached. Ends early
 * where such a text is other tokens, as two line feeds that were answered one by one are when they are read together.
 * @param {EngineHandle} engine
 * @param {ReferenceCase} reference
 */
async function compareCase(engine, { text, tokens, greedy, topLogprobs }) {
  /** @type {StepComparison[]} */
  const steps = []
  let prompt = text
  while (steps.length < greedy.length) {
    if (!(await isText(engine, prompt, [...tokens, ...greedy.slice(0, steps.length)]))) break
    const answer = await complete(engine, {
      prompt,
      max_tokens: greedy.length - steps.length,
      top_logprobs: numTopLogprobs,
      ignore_eos: true,
    })
    for (const { tokenId, top_logprobs } of answer.choices[0]?.logprobs?.content ?? []) {
      const next = greedy[steps.length]
      const found = top_logprobs.map(({ tokenId, logprob }) => /** @type {const} */ ([tokenId, logprob]))
      steps.push(compareStep(topLogprobs[steps.length] ?? [], found))
      const choice = top_logprobs.find(({ tokenId }) => tokenId === next)
      if (choice === undefined) return steps
      prompt += choice.token
      if (tokenId !== next) break
    }
  }
  return steps
}

/**
 * Whether a text is these tokens.
 * @param {EngineHandle} engine
 * @param {string} text
 * @param {readonly number[]} tokens
 */
async function isText(engine, text, tokens) {
  const actual = await engine.evaluate(async (engine, text) => [...(await engine.tokenize(text))], text)
  return actual.length === tokens.length && actual.every((token, i) => token === tokens[i])
}
