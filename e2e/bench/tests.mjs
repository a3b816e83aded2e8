// @ts-check
/**
 * @typedef {import('./schema.mjs').BenchTest} BenchTest
 *
 * @typedef {BenchTest & { promptTokens: number, answerTokens: number, streams: number }} Workload a test that is a request
 */

export const defaultTests = 'pp128,tg64,ttft,load'

/** Tokens of the prompt before a decoding test. */
const shortPrompt = 16
/** Tokens of the prompt whose first token is waited for: about what a person types. */
const typedPrompt = 32
/** Requests at once, at most. */
export const maxStreams = 16
/** Tokens of the answers to requests at once, and after a long context. */
const answerTokens = 32
/** Tokens of the two answers whose rates are compared. */
const busyTokens = 64

/**
 * @param {string} list such as `pp128,tg64`
 * @returns {BenchTest[]}
 * @throws {RangeError} where a name is none of a test
 */
export function parseTests(list) {
  const ids = [...new Set(list.split(',').filter((id) => id !== ''))]
  if (ids.length === 0) throw new RangeError(`Name a test, such as ${defaultTests}.`)
  return ids.map(testOf)
}

/**
 * @param {string} id
 * @returns {BenchTest}
 */
function testOf(id) {
  const [, name, digits] = id.match(/^([a-z]+)(\d*)$/) ?? []
  const count = Number(digits)
  const speed = { id, unit: /** @type {const} */ ('tok/s'), higherIsBetter: true, streams: 1 }
  const time = { id, unit: /** @type {const} */ ('ms'), higherIsBetter: false }
  if (name === 'pp' && count >= 8) {
    return {
      ...speed,
      kind: 'prefill',
      name: `Prefill, ${count} tokens`,
      promptTokens: count,
      answerTokens: 1,
    }
  }
  if (name === 'tg' && count >= 2) {
    const what = { promptTokens: shortPrompt, answerTokens: count }
    return { ...speed, kind: 'decode', name: `Decode, ${count} tokens`, ...what }
  }
  if (name === 'ctx' && count >= 64) {
    const what = { promptTokens: count, answerTokens }
    return { ...speed, kind: 'context', name: `Decode after ${count} tokens`, ...what }
  }
  if (name === 'batch' && count >= 2 && count <= maxStreams) {
    const what = { promptTokens: shortPrompt, answerTokens, streams: count }
    return { ...speed, kind: 'batch', name: `${count} answers at once, together`, ...what }
  }
  if (id === 'ttft') {
    const what = { promptTokens: typedPrompt, answerTokens: 1, streams: 1 }
    return { ...time, kind: 'ttft', name: `First token of ${typedPrompt}`, ...what }
  }
  if (id === 'busy') {
    const what = { promptTokens: shortPrompt, answerTokens: busyTokens, streams: 1 }
    const name = 'Decode in a busy page, share of its rate'
    return { id, kind: 'busy', name, unit: 'share', higherIsBetter: true, ...what }
  }
  if (id === 'load') return { ...time, kind: 'load', name: 'Load from storage' }
  throw new RangeError(
    `There is no test "${id}". There are pp8 and more, tg2 and more, ttft, load, busy, batch2 to batch${maxStreams}, and ctx64 and more.`,
  )
}

/**
 * @param {BenchTest} test
 * @returns {test is Workload}
 */
export const isWorkload = (test) => test.kind !== 'load'
