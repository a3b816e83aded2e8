import type { Engine, Timings, Usage } from '@brasa/runtime'

/** What the page measures, each with the number of tokens the prompt has and the answer gets. */
export const measurements = [
  { id: 'decode', name: 'Decode, short context', promptTokens: 16, answerTokens: 64, figure: 'decode' },
  { id: 'prefill', name: 'Prefill, 256 tokens', promptTokens: 256, answerTokens: 1, figure: 'prefill' },
  { id: 'near', name: 'Decode at position 100', promptTokens: 84, answerTokens: 32, figure: 'decode' },
  { id: 'far', name: 'Decode at position 2,000', promptTokens: 1984, answerTokens: 32, figure: 'decode' },
] as const

export type Measurement = (typeof measurements)[number]

export interface Workload {
  readonly promptTokens: number
  readonly answerTokens: number
  /** Which of the engine's speeds is told. */
  readonly figure: 'decode' | 'prefill'
}

export interface Measured {
  readonly promptTokens: number
  readonly answerTokens: number
  readonly tokensPerSecond: number
  /** Request to first token, ms. */
  readonly ttftMs: number
}

/**
 * Runs one measurement: greedy, past the end of the text, on words of its own, so that no cached prefix is measured.
 * @throws BrasaError what the engine throws; `aborted` if it was stopped
 */
export async function measure(engine: Engine, what: Workload, signal: AbortSignal): Promise<Measured> {
  const prompt = await promptOf(engine, what.promptTokens)
  const stream = await engine.completions.create(
    { prompt, stream: true, max_tokens: what.answerTokens, temperature: 0, ignore_eos: true },
    { signal },
  )
  let timings: Timings | undefined
  let usage: Usage | undefined
  for await (const chunk of stream) {
    timings = chunk.timings ?? timings
    usage = chunk.usage ?? usage
  }
  signal.throwIfAborted()
  if (timings === undefined || usage === undefined)
    throw new Error('The engine ended without timings. Run it again.')
  return {
    promptTokens: usage.prompt_tokens,
    answerTokens: usage.completion_tokens,
    tokensPerSecond:
      what.figure === 'prefill' ? timings.prefillTokensPerSecond : timings.decodeTokensPerSecond,
    ttftMs: timings.ttftMs,
  }
}

const words = ['river', 'stone', 'light', 'paper', 'north', 'glass', 'early', 'cloud', 'seven', 'house']

/** A text of about `numTokens` tokens that begins like no other. */
async function promptOf(engine: Engine, numTokens: number): Promise<string> {
  const start = String(Math.floor(Math.random() * 1e9))
  const text = (numWords: number) =>
    [start, ...Array.from({ length: numWords }, (_, index) => words[(index * 7) % words.length])].join(' ')
  const fixed = (await engine.tokenize(text(0))).length
  const perWord = ((await engine.tokenize(text(100))).length - fixed) / 100
  return text(Math.max(1, Math.round((numTokens - fixed) / perWord)))
}
