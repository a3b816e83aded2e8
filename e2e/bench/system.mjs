// @ts-check

/**
 * What the harness drives: our own backends and their peers, all alike. A peer is one file under systems/ that makes a System.
 * Whatever goes wrong in one becomes a row that says so; a method rejects with what `failure` makes where it knows better than "failed".
 *
 * @typedef {import('./schema.mjs').SystemResult} SystemResult
 * @typedef {import('./schema.mjs').Status} Status
 * @typedef {import('../../scripts/divergence.mjs').LogProbability} LogProbability
 *
 * @typedef {object} System
 * @property {string} id
 * @property {string} name for people
 * @property {() => Promise<Session>} open starts a browser of its own with empty storage, where nothing is loaded yet
 * @property {() => Promise<Pick<SystemResult, 'perToken' | 'memory' | 'notes'>>} [countWork] what the GPU is asked for, in yet
 *   another browser, where counting slows nothing that is timed
 *
 * @typedef {object} Session
 * @property {(from: 'server' | 'storage') => Promise<Loaded>} load the first time from a server; then, in a page that has
 *   just been opened, from what the browser kept
 * @property {(request: CompletionRequest) => Promise<Answer>} run
 * @property {(reference: ReferenceCase) => Promise<LogProbability[][]>} [follow] the likeliest tokens of each step, most likely
 *   first, each after the reference's own tokens; a step that cannot be compared is empty
 * @property {() => Promise<SystemResult['memory']>} [memory]
 * @property {(isBusy: boolean) => Promise<void>} [setBusy] whether the page's main thread never rests
 * @property {() => Promise<void>} close ends its browser, also one that hangs
 *
 * @typedef {object} Loaded
 * @property {import('./schema.mjs').LoadTime} time
 * @property {Pick<SystemResult, 'device' | 'detail' | 'file' | 'weightBytesPerToken'> & { limit?: LimitQuery }} facts
 *
 * @typedef {object} LimitQuery what its decoding is held against: reading as many bytes
 * @property {'gpu' | 'cpu'} device
 * @property {number} [threads] of the CPU
 * @property {number} bytes
 *
 * @typedef {object} CompletionRequest greedy, past the end of the text, without a prompt cache
 * @property {readonly string[]} prompts answered at once
 * @property {number} maxTokens of each answer
 *
 * @typedef {object} Answer of all prompts together, by the page's own clock
 * @property {number} promptTokens
 * @property {number} answerTokens
 * @property {number} firstTokenMs from the request to the first token, or tokens, of any answer
 * @property {number} firstTokens how many came then
 * @property {number} totalMs from the request to the last token
 * @property {number} [reportedPrefillTokensPerSecond]
 * @property {number} [reportedDecodeTokensPerSecond]
 *
 * @typedef {object} ReferenceCase a float64 forward pass of the model's file over a text
 * @property {string} name
 * @property {readonly number[]} tokens of the text, up to the last position that is compared
 * @property {readonly ReferenceStep[]} steps
 *
 * @typedef {object} ReferenceStep
 * @property {number} position of the token after which it is asked what comes next
 * @property {string} prefix the text up to there, that token included
 * @property {readonly LogProbability[]} topLogprobs the likeliest of what comes next
 */

/**
 * An error that says which row it makes.
 * @param {Exclude<Status, 'ok'>} status
 * @param {string} reason a sentence
 */
export const failure = (status, reason) => Object.assign(new Error(reason), { status })

/**
 * @param {unknown} error
 * @returns {{ status: Exclude<Status, 'ok'>, reason: string }}
 */
export function failureOf(error) {
  const reason = error instanceof Error ? error.message : String(error)
  if (error instanceof Error && 'status' in error) {
    return { status: /** @type {Exclude<Status, 'ok'>} */ (error.status), reason }
  }
  // Playwright's words for a page whose process is gone.
  const isCrash = /crashed|has been closed|Target closed|browser has disconnected/i.test(reason)
  return { status: isCrash ? 'crashed' : 'failed', reason: firstLine(reason) }
}

/** @param {number} count */
export const threadsInWords = (count) => (count === 1 ? '1 thread' : `${count} threads`)

const firstLine = (/** @type {string} */ text) => text.split('\n', 1)[0] ?? ''

/**
 * @template T
 * @param {Promise<T>} promise
 * @param {number} ms
 * @param {string} what such as "Loading"
 * @returns {Promise<T>} rejects as `hung` when the time is over
 */
export async function withDeadline(promise, ms, what) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer
  const deadline = new Promise((_, reject) => {
    timer = setTimeout(() => reject(failure('hung', `${what} was not done after ${ms / 1000} s.`)), ms)
  })
  // What comes too late is not an unhandled rejection.
  promise.catch(() => {})
  try {
    return await /** @type {Promise<T>} */ (Promise.race([promise, deadline]))
  } finally {
    clearTimeout(timer)
  }
}
