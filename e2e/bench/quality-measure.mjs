// @ts-check

/**
 * @typedef {import('../../packages/runtime/src/api/types.ts').Engine} Engine
 * @typedef {import('playwright').JSHandle<Engine>} EngineHandle
 * @typedef {import('../../scripts/divergence.mjs').LogProbability} LogProbability
 *
 * @typedef {object} QualityReference what the model that others are held against says of the text, in float64
 * @property {string} model
 * @property {string} sha256 of its file
 * @property {readonly number[]} positions of each window whose distribution is listed
 * @property {readonly ReferenceWindow[]} windows
 *
 * @typedef {object} ReferenceWindow
 * @property {readonly number[]} tokens
 * @property {readonly number[]} logprobs of the token that follows, for each position but the last
 * @property {readonly { tokens: readonly number[], logprobs: readonly number[] }[]} top of each of `positions`, most likely first
 *
 * @typedef {object} WindowScores
 * @property {readonly number[]} logprobs of the token that follows, from the window's first position on
 * @property {readonly { best: number, found: readonly LogProbability[] }[]} compared what the backend gives to the tokens that
 *   the reference lists, and the token it finds likeliest; of those listed positions that were scored
 */

/**
 * Scores the beginning of each window.
 * @param {EngineHandle} engine
 * @param {readonly (readonly number[])[]} windows
 * @param {object} options
 * @param {number} options.numPositions of each window
 * @param {QualityReference | undefined} options.reference of the same windows
 * @param {(numScored: number) => void} options.onProgress called after each window, and by `progressOf` within one
 * @returns {Promise<{ windows: WindowScores[], seconds: number }>}
 */
export async function scoreWindows(engine, windows, { numPositions, reference, onProgress }) {
  /** @type {WindowScores[]} */
  const scored = []
  const start = performance.now()
  for (const [index, tokens] of windows.entries()) {
    const before = index * numPositions
    const listed = new Map(
      (reference?.positions ?? []).flatMap((position, i) => {
        const top = reference?.windows[index]?.top[i]
        return position < numPositions && top !== undefined ? [[position, top.tokens]] : []
      }),
    )
    const logprobsOf = Array.from({ length: numPositions }, (_, position) => listed.get(position) ?? [])
    const scores = await engine.evaluate(
      async (engine, { tokens, logprobsOf, before }) => {
        const { scores } = await engine.score(
          { tokens, logprobsOf, topLogprobs: 1 },
          { onProgress: (done) => done % 16 === 0 && console.info(`scored: ${before + done}`) },
        )
        return scores.map(({ logprob, logprobs, topLogprobs }) => ({
          logprob,
          logprobs,
          best: topLogprobs[0]?.tokenId ?? -1,
        }))
      },
      { tokens: tokens.slice(0, numPositions + 1), logprobsOf, before },
    )
    scored.push({
      logprobs: scores.map(({ logprob }) => logprob),
      compared: [...listed].map(([position, candidates]) => {
        const { best, logprobs } = /** @type {typeof scores[number]} */ (scores[position])
        return { best, found: candidates.map((token, i) => [token, logprobs[i] ?? Number.NaN]) }
      }),
    })
    onProgress(before + numPositions)
  }
  return { windows: scored, seconds: (performance.now() - start) / 1000 }
}

/**
 * Positions scored so far, of a line that the page's console shows.
 * @param {string} line
 * @returns {number | undefined}
 */
export function progressOf(line) {
  const match = /^scored: (\d+)$/.exec(line)
  return match === null ? undefined : Number(match[1])
}

/** @param {string} text */
export const speedPromptsOf = (text) =>
  [0, 0.4, 0.8].map((share) => {
    const start = Math.floor(share * text.length)
    return text.slice(start, start + 800)
  })

/**
 * Medians of three answers of 32 tokens to a prompt of the text's own beginning, its middle and its end.
 * @param {EngineHandle} engine
 * @param {string} text
 */
export function measureSpeed(engine, text) {
  return engine.evaluate(async (engine, prompts) => {
    /** @type {import('../../packages/runtime/src/api/types.ts').Timings[]} */
    const timings = []
    for (const prompt of prompts) {
      const answer = await engine.completions.create({
        prompt,
        max_tokens: 32,
        temperature: 0,
        ignore_eos: true,
      })
      timings.push(answer.timings)
    }
    const median = (/** @type {'prefillTokensPerSecond' | 'decodeTokensPerSecond'} */ name) =>
      timings.map((timing) => timing[name]).sort((a, b) => a - b)[1] ?? 0
    return {
      prefillTokensPerSecond: median('prefillTokensPerSecond'),
      decodeTokensPerSecond: median('decodeTokensPerSecond'),
    }
  }, speedPromptsOf(text))
}
