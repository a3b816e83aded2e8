// @ts-check

/** @typedef {Awaited<ReturnType<typeof import('../e2e/bench/measure.mjs').runPrompt>>} PromptRecord */

/** @param {PromptRecord} record */
export function describeRecord(record) {
  const { name, backend, adapter, text, promptTokens, tokens, perToken } = record
  const speed = (/** @type {number} */ tokensPerSecond) => `${tokensPerSecond.toFixed(1)} tok/s`
  return `
${name}: ${backend} on ${adapter}
  ${JSON.stringify(text)}
  ${promptTokens.length} prompt tokens at ${speed(record.prefillTokensPerSecond)}, first token after ${record.ttftMs.toFixed(0)} ms, ${tokens.length} tokens at ${speed(record.decodeTokensPerSecond)}
  device work a token: ${describeWork(perToken)}`
}

/** @param {Record<string, number>} perToken */
function describeWork(perToken) {
  const entries = Object.entries(perToken)
  if (entries.every(([, count]) => count === 0)) return 'none that is counted'
  return entries.map(([name, count]) => `${Math.round(count * 100) / 100} ${name}`).join(', ')
}
