// @ts-check
import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The repository's root folder. */
export const root = fileURLToPath(new URL('..', import.meta.url))

/** A failure whose message is all a person needs: no stack is printed. */
export class ScriptError extends Error {}

/**
 * Runs `main` if the module at `moduleUrl` is the one that node was started with, and turns a failure into one line and
 * exit code 1.
 * @param {string} moduleUrl `import.meta.url`
 * @param {(args: string[]) => unknown} main
 */
export async function runAsScript(moduleUrl, main) {
  const started = process.argv[1]
  if (started === undefined || realpathSync(started) !== fileURLToPath(moduleUrl)) return
  try {
    await main(process.argv.slice(2))
  } catch (error) {
    console.error(error instanceof ScriptError ? `error: ${error.message}` : error)
    process.exit(1)
  }
}

/** @param {number} bytes */
export function formatBytes(bytes) {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`
}

/** @param {unknown} error the innermost reason's own words: fetch hides them in `cause` */
export function reasonOf(error) {
  let reason = error
  while (reason instanceof Error && reason.cause instanceof Error) reason = reason.cause
  if (reason instanceof AggregateError && reason.errors.length > 0) reason = reason.errors[0]
  return reason instanceof Error ? reason.message : String(reason)
}

/** Ends this process when npm, which started it, is gone: a signal that ends npm does not reach what npm runs. */
export function exitWithNpm() {
  if (process.env.npm_lifecycle_event === undefined) return
  const parent = process.ppid
  setInterval(() => process.ppid === parent || process.exit(0), 500).unref()
}
