// @ts-check

/**
 * What a test's figure is, by the clock of the page it ran in.
 * @param {import('./schema.mjs').BenchTest['kind']} kind of a request
 * @param {import('./system.mjs').Answer} answer
 * @returns {{ value: number, reported?: number | undefined }}
 */
export function figuresOf(kind, answer) {
  const { promptTokens, answerTokens, firstTokenMs, firstTokens, totalMs } = answer
  if (kind === 'ttft') return { value: firstTokenMs }
  if (kind === 'prefill') {
    return {
      value: (promptTokens / firstTokenMs) * 1000,
      reported: answer.reportedPrefillTokensPerSecond,
    }
  }
  if (firstTokens >= answerTokens)
    throw new Error('All its tokens came at once: its decoding cannot be timed.')
  if (kind === 'batch') return { value: (answerTokens / totalMs) * 1000 }
  return {
    value: ((answerTokens - firstTokens) / (totalMs - firstTokenMs)) * 1000,
    reported: answer.reportedDecodeTokensPerSecond,
  }
}
