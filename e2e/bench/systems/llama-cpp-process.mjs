// @ts-check
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/**
 * The process that runs llama.cpp: it takes orders over the channel to its parent and answers each.
 * Its package is not a dependency of this repository: what comes from it has no types here.
 * @typedef {import('./llama-cpp.mjs').Order} Order
 */

const [folder = ''] = process.argv.slice(2)
const { resolve } = createRequire(join(folder, 'package.json'))
const { getLlama } = await import(pathToFileURL(resolve('node-llama-cpp')).href)

/** @type {any} */
let model
/** @type {any} */
let context
/** @type {any[]} free sequences */
const sequences = []

process.on('message', async (/** @type {Order} */ order) => {
  try {
    process.send?.({ answer: await obey(order) })
  } catch (error) {
    process.send?.({ error: error instanceof Error ? error.message : String(error) })
  }
})

/**
 * @param {Order} order
 * @returns {Promise<unknown>}
 */
function obey(order) {
  if (order.is === 'load') return load(order)
  return order.is === 'run' ? run(order) : follow(order)
}

/** @param {Extract<Order, { is: 'load' }>} order */
async function load({ path, contextLength, streams, numThreads, prompt }) {
  await context?.dispose()
  await model?.dispose()
  sequences.length = 0
  const start = performance.now()
  const llama = await getLlama({ gpu: false, build: 'never', maxThreads: numThreads, logLevel: 'disabled' })
  model = await llama.loadModel({ modelPath: path })
  context = await model.createContext({
    contextSize: contextLength,
    batchSize: 512,
    sequences: streams,
    threads: numThreads,
  })
  for (let stream = 0; stream < streams; stream++) sequences.push(context.getSequence())
  const readyMs = performance.now() - start
  await run({ prompts: [prompt], maxTokens: 1 })
  return { readyMs, totalMs: performance.now() - start }
}

/**
 * @param {import('../system.mjs').CompletionRequest} request
 * @returns {Promise<import('../system.mjs').Answer>}
 */
async function run({ prompts, maxTokens }) {
  const start = performance.now()
  let firstTokenMs = 0
  let [promptTokens, answerTokens] = [0, 0]
  await Promise.all(
    prompts.map(async (prompt, stream) => {
      const sequence = sequences[stream]
      await sequence.clearHistory()
      const tokens = model.tokenize(prompt, true)
      promptTokens += tokens.length
      let numTokens = 0
      const answer = sequence.evaluate(tokens, { temperature: 0, yieldEogToken: true })
      for await (const _ of answer) {
        firstTokenMs ||= performance.now() - start
        answerTokens += 1
        if (++numTokens === maxTokens) break
      }
    }),
  )
  return { promptTokens, answerTokens, firstTokenMs, firstTokens: 1, totalMs: performance.now() - start }
}

/**
 * @param {import('../system.mjs').ReferenceCase} reference
 * @returns {Promise<import('../system.mjs').LogProbability[][]>}
 */
async function follow({ tokens, steps }) {
  const sequence = sequences[0]
  await sequence.clearHistory()
  const asked = tokens.map((token, position) => {
    const step = steps.find((step) => step.position === position)
    if (step === undefined) return token
    const filter = { tokens: step.topLogprobs.map(([token]) => token), includeMax: true }
    return [token, { generateNext: { logits: { filter }, totalLogitWeight: true } }]
  })
  const results = await sequence.controlledEvaluate(asked)
  return steps.map(({ position }) => {
    const next = results[position]?.next
    if (next === undefined) return []
    /** @type {[number, number][]} */
    const logits = [...next.logits]
    const highest = Math.max(...logits.map(([, logit]) => logit))
    const total = Math.log(next.totalLogitWeight)
    return logits
      .map(([token, logit]) => /** @type {[number, number]} */ ([token, logit - highest - total]))
      .sort(([, a], [, b]) => b - a)
  })
}
