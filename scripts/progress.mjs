// @ts-check
import { formatBytes } from './command-line.mjs'

/** Milliseconds over which speed is measured, and between two lines on a terminal or in a log. */
const speedWindowMs = 5000
const terminalIntervalMs = 100
const logIntervalMs = 5000

/**
 * A progress bar: bytes, speed and time left. On a terminal one line that is redrawn, in a log a line every few seconds.
 * @param {number} totalBytes
 * @param {NodeJS.WriteStream} [stream]
 */
export function progressBar(totalBytes, stream = process.stderr) {
  const startMs = performance.now()
  const samples = [{ atMs: startMs, bytes: 0 }]
  const intervalMs = stream.isTTY ? terminalIntervalMs : logIntervalMs
  let drawnAtMs = startMs

  return {
    /** @param {number} bytes received so far */
    update(bytes) {
      const atMs = performance.now()
      if (atMs - drawnAtMs < intervalMs) return
      drawnAtMs = atMs
      samples.push({ atMs, bytes })
      while (samples.length > 2 && atMs - (samples[0]?.atMs ?? 0) > speedWindowMs) samples.shift()
      const line = progressLine(bytes, totalBytes, samples)
      stream.write(stream.isTTY ? `\r\x1b[K${line}` : `${line}\n`)
    },
    /** @param {number} bytes received in the end */
    finish(bytes) {
      const seconds = (performance.now() - startMs) / 1000
      const line = `${formatBytes(bytes)} in ${seconds.toFixed(1)} s, ${formatBytes(bytes / seconds)}/s`
      stream.write(stream.isTTY ? `\r\x1b[K${line}\n` : `${line}\n`)
    },
    /** Leaves the bar as it stands, so that the next message starts on its own line. */
    abandon() {
      if (stream.isTTY) stream.write('\n')
    },
  }
}

/**
 * @param {number} bytes
 * @param {number} totalBytes
 * @param {readonly { atMs: number, bytes: number }[]} samples oldest first
 */
export function progressLine(bytes, totalBytes, samples) {
  const width = 24
  const share = Math.min(1, bytes / totalBytes)
  const bar = '#'.repeat(Math.round(share * width)).padEnd(width, '.')
  const head = `[${bar}] ${formatBytes(bytes)} of ${formatBytes(totalBytes)}`
  const first = samples[0]
  const last = samples.at(-1)
  if (first === undefined || last === undefined || last.atMs <= first.atMs) return head
  const bytesPerSecond = ((last.bytes - first.bytes) / (last.atMs - first.atMs)) * 1000
  if (bytesPerSecond <= 0) return head
  const secondsLeft = Math.max(0, totalBytes - bytes) / bytesPerSecond
  return `${head}, ${formatBytes(bytesPerSecond)}/s, ${Math.ceil(secondsLeft)} s left`
}
