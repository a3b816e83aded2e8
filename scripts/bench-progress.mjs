// @ts-check

const barWidth = 24
const logIntervalMs = 15_000

/**
 * A progress bar over steps: on a terminal one line that is redrawn, in a log a line now and then. What a step takes is
 * guessed from those of its key that are done.
 * @param {NodeJS.WriteStream} [stream]
 */
export function stepProgress(stream = process.stderr) {
  /** @type {Map<string, number[]>} milliseconds of the steps that are done, by key */
  const taken = new Map()
  let numSteps = 0
  let numBegun = 0
  let current = { key: '', startMs: performance.now() }
  let drawnAtMs = Number.NEGATIVE_INFINITY

  return {
    /** @param {number} count */
    begin(count) {
      numSteps = count
    },
    /**
     * @param {string} key
     * @param {string} label
     */
    step(key, label) {
      const now = performance.now()
      if (numBegun > 0) taken.set(current.key, [...(taken.get(current.key) ?? []), now - current.startMs])
      numBegun += 1
      current = { key, startMs: now }
      if (!stream.isTTY && now - drawnAtMs < logIntervalMs) return
      drawnAtMs = now
      const line = progressLine(numBegun - 1, numSteps, secondsLeft(taken, numSteps - numBegun + 1), label)
      stream.write(stream.isTTY ? `\r\x1b[K${line}` : `${line}\n`)
    },
    finish() {
      if (stream.isTTY) stream.write('\r\x1b[K')
    },
  }
}

/**
 * @param {ReadonlyMap<string, readonly number[]>} taken milliseconds by key
 * @param {number} numLeft
 * @returns {number | undefined} undefined before anything repeated itself
 */
export function secondsLeft(taken, numLeft) {
  // What comes is most like what came again and again: the tests, not the one load before them.
  const repeated = [...taken.values()].filter((times) => times.length > 1)
  if (repeated.length === 0) return undefined
  const means = repeated.map(
    (times) => times.slice(-2).reduce((sum, ms) => sum + ms, 0) / Math.min(2, times.length),
  )
  return (numLeft * means.reduce((sum, ms) => sum + ms, 0)) / means.length / 1000
}

/**
 * @param {number} numDone
 * @param {number} numSteps
 * @param {number | undefined} seconds left
 * @param {string} label
 */
export function progressLine(numDone, numSteps, seconds, label) {
  const bar = '#'.repeat(Math.round((numDone / numSteps) * barWidth)).padEnd(barWidth, '.')
  const time = seconds === undefined ? '' : `, about ${Math.ceil(seconds / 60)} min left`
  return `[${bar}] ${numDone} of ${numSteps}${time}: ${label}`
}
