// @ts-check
import { complete, promptOf, workPerToken } from './session.mjs'

/**
 * @typedef {import('./session.mjs').EngineHandle} EngineHandle
 * @typedef {import('../../packages/runtime/src/api/types.ts').Completion} Completion
 *
 * @typedef {{ name: string, text: string, maxTokens: number } & Record<string, unknown>} Prompt
 *   `text` is taken raw, special tokens parsed. Further keys are generation parameters, such as `temperature` and `seed`.
 */

/** Likely tokens that a record lists for each step. */
const numTopLogprobs = 5

/**
 * Runs one prompt and says all about it. Speed is measured without log-probabilities, whose reading costs a copy of the
 * logits at each step; a second run fetches them.
 * @param {EngineHandle} engine
 * @param {Prompt} prompt
 */
export async function runPrompt(engine, { name, text, maxTokens, ...parameters }) {
  const request = { prompt: text, max_tokens: maxTokens, ...parameters }
  const answer = await complete(engine, request)
  const { tokens, text: answerText } = onlyChoice(answer)
  const explained = onlyChoice(await complete(engine, { ...request, top_logprobs: numTopLogprobs }))
  const promptTokens = await engine.evaluate(async (engine, text) => [...(await engine.tokenize(text))], text)
  const device = await deviceOf(engine)
  const firstDifference = tokens.findIndex((token, step) => token !== explained.tokens[step])
  return {
    name,
    backend: device.backend,
    adapter: device.adapter,
    promptTokens,
    tokens,
    text: answerText,
    topLogprobs: (explained.logprobs?.content ?? []).map((step) => step.top_logprobs),
    // Past a step where two runs differ, the log-probabilities belong to another text.
    ...(firstDifference >= 0 && { runsDifferAtStep: firstDifference }),
    ...answer.timings,
    perToken: await workPerToken(engine, text),
  }
}

/** @param {Completion} answer */
function onlyChoice(answer) {
  const [choice] = answer.choices
  if (choice === undefined) throw new Error('The engine answered without a choice.')
  return choice
}

/** @param {EngineHandle} engine */
export function deviceOf(engine) {
  return engine.evaluate(({ device }) => ({
    backend: device.backend,
    adapter: device.adapter,
    reason: device.reason,
    linears: device.linears,
  }))
}

const prefillTokens = 256
const shortPromptTokens = 16
const shortAnswerTokens = 64
const firstPromptTokens = 37
/** Both windows of positions are this wide, and centred on them. */
const windowTokens = 32
const nearPosition = 100
/** On the CPU, where a prompt of 2,000 tokens takes its time, 1,000 tell as much. */
const farPositionOf = (/** @type {string} */ backend) => (backend === 'webgpu' ? 2000 : 1000)
/** Of each figure, the best of this many runs: whatever else the machine does can only slow it down. */
const numRuns = 3

/**
 * The speeds of a backend: its first token, decoding at a short context, prefill, and what a long context costs; and the
 * memory it holds after all that.
 * @param {EngineHandle} engine that has answered nothing yet
 * @param {(line: string) => void} log
 */
export async function measureSpeeds(engine, log) {
  const device = await deviceOf(engine)
  log('first token')
  const { timings: first } = await complete(engine, {
    prompt: await promptOf(engine, firstPromptTokens, 'First'),
    max_tokens: 1,
  })

  log('warming up')
  await complete(engine, {
    prompt: await promptOf(engine, prefillTokens, 'Warm'),
    max_tokens: 8,
    ignore_eos: true,
  })

  log(`prefill of ${prefillTokens} tokens, ${numRuns} times`)
  let prefillTokensPerSecond = 0
  for (const opening of ['Once', 'Later', 'Now'].slice(0, numRuns)) {
    const prompt = await promptOf(engine, prefillTokens, opening)
    const { timings } = await complete(engine, { prompt, max_tokens: 1, ignore_eos: true })
    prefillTokensPerSecond = Math.max(prefillTokensPerSecond, timings.prefillTokensPerSecond)
  }

  log(`decode of ${shortAnswerTokens} tokens after ${shortPromptTokens}, ${numRuns} times`)
  const shortPrompt = await promptOf(engine, shortPromptTokens, 'Short')
  const decodeTokensPerSecond = await bestDecode(engine, shortPrompt, shortAnswerTokens)

  const farPosition = farPositionOf(device.backend)
  const [near, far] = await measurePositions(engine, [nearPosition, farPosition], log)
  // While the keys and values of the longest sequence are still held.
  const memory = await engine.evaluate((engine) => engine.memory())
  const perToken = await workPerToken(engine, shortPrompt)
  return {
    ...device,
    firstTokenMs: first.ttftMs,
    decodeTokensPerSecond,
    prefillTokensPerSecond,
    nearPosition,
    msPerTokenNear: near,
    farPosition,
    msPerTokenFar: far,
    longContextRatio: near !== undefined && far !== undefined ? far / near : undefined,
    memory,
    perToken,
  }
}

/**
 * @param {EngineHandle} engine
 * @param {readonly number[]} positions
 * @param {(line: string) => void} log
 * @returns {Promise<(number | undefined)[]>} milliseconds a token around each position; undefined where the context is too short
 */
async function measurePositions(engine, positions, log) {
  const contextLength = await engine.evaluate((engine) => engine.model.contextLength)
  const result = []
  for (const position of positions) {
    const numTokens = position - windowTokens / 2
    if (numTokens + windowTokens > contextLength) {
      log(`position ${position} is left out: the context holds ${contextLength} tokens`)
      result.push(undefined)
      continue
    }
    log(
      `decode at position ${position}, ${numRuns} times (first its prompt, which takes a while where there is no GPU)`,
    )
    const prompt = await promptOf(engine, numTokens, 'Far')
    result.push(1000 / (await bestDecode(engine, prompt, windowTokens)))
  }
  return result
}

/**
 * @param {EngineHandle} engine
 * @param {string} prompt
 * @param {number} numTokens
 */
async function bestDecode(engine, prompt, numTokens) {
  let best = 0
  for (let run = 0; run < numRuns; run++) {
    const { timings } = await complete(engine, { prompt, max_tokens: numTokens, ignore_eos: true })
    best = Math.max(best, timings.decodeTokensPerSecond)
  }
  return best
}
