// @ts-check
import { complete, workPerToken } from './session.mjs'

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
