// @ts-check

/**
 * @typedef {import('../packages/runtime/src/api/types.ts').Engine['device']} DeviceInfo
 * @typedef {Pick<DeviceInfo, 'backend' | 'adapter' | 'linears'>} Device
 * @typedef {Awaited<ReturnType<typeof import('../e2e/bench/measure.mjs').measureSpeeds>>} Speeds
 * @typedef {Awaited<ReturnType<typeof import('../e2e/bench/measure.mjs').runPrompt>>} PromptRecord
 * @typedef {Awaited<ReturnType<typeof import('../e2e/bench/quality.mjs').measureQuality>>} Quality
 */

/**
 * @param {Speeds & { loadMs: number }} speeds
 * @param {number | undefined} f32Bytes of the model's weights, were they all f32
 */
export function describeSpeeds(speeds, f32Bytes) {
  const position = (/** @type {number} */ value) => value.toLocaleString('en')
  return table(heading(speeds), [
    ['load from the browser’s storage', `${figure(speeds.loadMs / 1000, 1)} s`],
    ['first token of 37, the first time', `${figure(speeds.firstTokenMs, 0)} ms`],
    ['decode at a short context', `${figure(speeds.decodeTokensPerSecond, 1)} tok/s`],
    ['prefill of 256 tokens', `${figure(speeds.prefillTokensPerSecond, 1)} tok/s`],
    [`a token at position ${position(speeds.nearPosition)}`, `${figure(speeds.msPerTokenNear, 1)} ms`],
    [
      `a token at position ${position(speeds.farPosition)}`,
      `${figure(speeds.msPerTokenFar, 1)} ms, ${figure(speeds.longContextRatio, 2)} times that`,
    ],
    ['memory held', describeMemory(speeds.memory, f32Bytes)],
    ['device work a token', describeWork(speeds.perToken)],
  ])
}

/** @param {PromptRecord} record */
export function describeRecord(record) {
  return `
${record.name}: ${heading(record)}
  ${JSON.stringify(record.text)}
  ${record.promptTokens.length} prompt tokens at ${figure(record.prefillTokensPerSecond, 1)} tok/s, first token after ${figure(record.ttftMs, 0)} ms, ${record.tokens.length} tokens at ${figure(record.decodeTokensPerSecond, 1)} tok/s
  device work a token: ${describeWork(record.perToken)}`
}

/** @param {Quality} quality */
export function describeQuality(quality) {
  const { numSteps, numAgreeing, numDecided, numDecidedAgreeing, numSkipped } = quality
  return table(`${heading(quality)}, against the float64 reference`, [
    [
      'steps',
      `${numSteps} of ${quality.numCases} prompts, each after the reference’s own tokens; ${numSkipped} left out`,
    ],
    ['greedy agreement', `${numAgreeing} of ${numSteps} (${percent(numAgreeing / numSteps)})`],
    [
      '  where there is no tie',
      `${numDecidedAgreeing} of ${numDecided} (${percent(numDecidedAgreeing / numDecided)})`,
    ],
    [
      'KL divergence',
      `mean ${exponential(quality.meanKlDivergence)}, worst ${exponential(quality.maxKlDivergence)} nats`,
    ],
    [
      '  of what',
      `the reference’s five likeliest tokens, ${percent(quality.meanListedMass)} of the probability, and all others as one: a lower bound`,
    ],
    ['worst log-probability', `off by ${figure(quality.worstLogprobError, 5)}`],
  ])
}

/** @param {Device} device */
function heading({ backend, adapter, linears }) {
  if (linears === undefined) return `${backend} on ${adapter}`
  const error = linears.format === 'f32' ? '' : `, a product off by ${percent(linears.relativeError)}`
  return `${backend} on ${adapter}, linears in ${linears.format} (${megabytes(linears.weightBytes)}${error})`
}

/**
 * @param {Speeds['memory']} memory
 * @param {number | undefined} f32Bytes
 */
function describeMemory({ weightBytes, kvCacheBytes, otherBytes }, f32Bytes) {
  const total = weightBytes + kvCacheBytes + otherBytes
  const parts = `weights ${megabytes(weightBytes)}, keys and values ${megabytes(kvCacheBytes)}, other ${megabytes(otherBytes)}`
  const ratio = f32Bytes === undefined ? '' : `, ${figure(total / f32Bytes, 2)} times the weights in f32`
  return `${megabytes(total)} (${parts})${ratio}`
}

/** @param {Record<string, number>} perToken */
function describeWork(perToken) {
  const entries = Object.entries(perToken)
  if (entries.every(([, count]) => count === 0)) return 'none that is counted'
  return entries.map(([name, count]) => `${Math.round(count * 100) / 100} ${name}`).join(', ')
}

/**
 * @param {string} heading
 * @param {readonly (readonly [name: string, value: string])[]} rows
 */
function table(heading, rows) {
  const width = Math.max(...rows.map(([name]) => name.length)) + 2
  return ['', heading, ...rows.map(([name, value]) => `  ${name.padEnd(width)}${value}`)].join('\n')
}

/**
 * @param {number | undefined} value
 * @param {number} digits
 */
const figure = (value, digits) => (value === undefined ? 'not measured' : value.toFixed(digits))

const percent = (/** @type {number} */ share) => `${(share * 100).toFixed(1)}%`

const exponential = (/** @type {number} */ value) => value.toExponential(1)

const megabytes = (/** @type {number} */ bytes) => `${(bytes / 1e6).toFixed(0)} MB`
