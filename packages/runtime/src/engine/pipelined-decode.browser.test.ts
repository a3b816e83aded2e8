import { expect, test } from 'vitest'
import type { DecodeVariant } from '../backends/executor.ts'
import { tinyModelFile } from '../backends/reference/tiny-model-file.ts'
import type { EngineEvent, EngineService } from '../protocol.ts'
import { parseGenerationParameters } from '../sampling/parameters.ts'
import { loadEngine } from './load.ts'
import { createEngineService } from './service.ts'

/** An engine that keeps `lookahead` steps in flight. */
async function open(lookahead: number, variant: DecodeVariant, endOfText = 2) {
  const service = createEngineService(async (request, events) => ({
    ...(await loadEngine(request, events)),
    lookahead,
  }))
  const { href } = globalThis.location
  const model = tinyModelFile('tiny.gguf', { 'tokenizer.ggml.eos_token_id': endOfText })
  service.load(1, { model, backend: 'webgpu', variant, catalogueUrl: href, baseUrl: href })
  while ((await service.next(1)).length > 0);
  return service
}

let lastStream = 1

async function answer(service: EngineService, prompt: string, parameters: Record<string, unknown>) {
  const stream = ++lastStream
  service.generate(stream, { input: { prompt }, settings: parseGenerationParameters(parameters) })
  const events: EngineEvent[] = []
  for (;;) {
    const arrived = await service.next(stream)
    if (arrived.length === 0) break
    events.push(...arrived)
  }
  const tokens = events.flatMap((event) => (event.type === 'tokens' ? [event] : []))
  const done = events.findLast((event) => event.type === 'done')!
  return {
    text: tokens.map(({ text }) => text).join(''),
    tokens: tokens.flatMap(({ tokens }) => tokens),
    logprobs: tokens.flatMap(({ logprobs }) => logprobs),
    finishReason: done.finishReason,
    usage: done.usage,
  }
}

const prompt = 'What was decided of, and by whom'
const logprobs = { top_logprobs: 5 }
/** Only tokens that are a character: an answer's text is then its tokens again. */
const names = [0, 1, 2, ...Array.from({ length: 32 }, (_, i) => 99 + i)]
const sampled = {
  ...{ temperature: 1.3, seed: 1, max_tokens: 40, ...logprobs },
  logit_bias: Object.fromEntries(names.map((token) => [token, -100])),
}

/** An answer that ends so, and what goes on from it, of both services: the same. @returns the answer */
async function sameAnswers(services: readonly EngineService[], ending: Record<string, unknown>) {
  const both = (prompt: string, parameters: Record<string, unknown>) =>
    Promise.all(services.map((service) => answer(service, prompt, parameters)))
  const [one, four] = await both(prompt, { ...sampled, ...ending })
  expect(four).toEqual(one)
  // What goes on reads the keys and values that the answer left: what was not rolled back exactly would show.
  const goOn = { ...sampled, temperature: 0, max_tokens: 6 }
  const [oneMore, fourMore] = await both(`${prompt}${one!.text} and then`, goOn)
  expect(fourMore).toEqual(oneMore)
  const { cached_tokens } = oneMore!.usage.prompt_tokens_details!
  expect(cached_tokens).toBeGreaterThanOrEqual(prompt.length - 1 + one!.text.length)
  return one!
}

test.each(['base', 'quads'] as const)(
  'with four steps in flight, an answer and what goes on from it are those of one at a time: %s',
  async (variant) => {
    const services = await Promise.all([open(1, variant), open(4, variant)])
    const whole = await sameAnswers(services, {})
    expect(whole.tokens).toHaveLength(40)
    // In the midst of what is in flight.
    for (const at of [5, 6, 7, 11]) {
      const { finishReason, tokens } = await sameAnswers(services, { stop: whole.text.slice(at, at + 2) })
      expect([finishReason, tokens.length <= at + 2]).toEqual(['stop', true])
    }
    for (const max_tokens of [2, 3, 5, 9]) {
      const { finishReason, tokens } = await sameAnswers(services, { max_tokens })
      expect([finishReason, tokens]).toEqual(['length', whole.tokens.slice(0, max_tokens)])
    }
    await Promise.all(services.map((service) => service.dispose()))

    // The end-of-text token is one that comes in the midst of that answer.
    const at = whole.tokens.findIndex((token, i) => i > 5 && whole.tokens.indexOf(token) === i)
    const ending = await Promise.all([1, 4].map((lookahead) => open(lookahead, variant, whole.tokens[at])))
    const { finishReason, tokens } = await sameAnswers(ending, {})
    expect([finishReason, tokens]).toEqual(['stop', whole.tokens.slice(0, at + 1)])
    await Promise.all(ending.map((service) => service.dispose()))
  },
  180_000,
)
