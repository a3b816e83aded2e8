// @ts-check
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { writeHtmlReport } from './bench-html.mjs'
import { readOptions } from './bench-options.mjs'
import { stepProgress } from './bench-progress.mjs'
import { describeRecord } from './bench-report.mjs'
import { describeResults } from './bench-table.mjs'
import { reasonOf, root, runAsScript, ScriptError } from './command-line.mjs'
import { fetchModel } from './fetch-model.mjs'
import { ensureBuilt, ensureInstalled } from './setup.mjs'

/** @typedef {ReturnType<typeof readOptions>} Options */

await runAsScript(import.meta.url, async (args) => {
  const options = readOptions(args)
  ensureInstalled()
  const isElsewhere = !options.isFile && /[:/]/.test(options.model)
  if (isElsewhere && options.prompts === undefined) {
    throw new ScriptError(
      `There is no file ${options.model}. Peers read a GGUF file of this machine: download it first.`,
    )
  }
  if (!options.isFile && !isElsewhere) await fetchModel({ id: options.model, log: console.error })
  ensureBuilt()
  if (options.prompts !== undefined) process.exit(await runPrompts(options, options.prompts))

  const { runBench } = await import('../e2e/bench/run.mjs')
  const progress = stepProgress()
  const out = options.out ?? defaultPath(new Date())
  const results = await runBench(options, progress, (results) => saveResults(results, out))
  progress.finish()
  if (options.html !== undefined) writeHtmlReport(results, options.html)
  console.log(`\n${describeResults(results)}\n\nWritten to ${out}`)
  process.exit(results.systems.some(({ status }) => status === 'ok') ? 0 : 1)
})

/**
 * Whole or not at all: it is written again and again while other things may end this process.
 * @param {import('../e2e/bench/schema.mjs').BenchResults} results
 * @param {string} path
 */
function saveResults(results, path) {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(`${path}.partial`, `${JSON.stringify(results, null, 2)}\n`)
  renameSync(`${path}.partial`, path)
}

/** @param {Date} startedAt */
function defaultPath(startedAt) {
  const machine = hostname()
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
  return join(root, 'bench', 'results', `${startedAt.toISOString().slice(0, 10)}-${machine}.json`)
}

/**
 * Runs prompts on our own backends and reports what they answered.
 * @param {Options} options
 * @param {readonly import('../e2e/bench/measure.mjs').Prompt[]} prompts
 * @returns {Promise<number>} the exit code
 */
async function runPrompts({ backends, linears, variants, model, isFile, browser, out }, prompts) {
  const { loadEngine, openBenchPage } = await import('../e2e/bench/session.mjs')
  const { runPrompt } = await import('../e2e/bench/measure.mjs')
  const { rowsOf } = await import('../e2e/bench/systems/brasa.mjs')
  const settings = rowsOf(backends, linears, variants)
  /** @type {object[]} */
  const records = []
  let numFailed = 0
  for (const row of settings) {
    const name = Object.values(row).join(' ')
    // A page of its own for each: what one leaves behind in memory must not slow the next.
    const { page, close } = await openBenchPage(browser)
    try {
      const onProgress = (/** @type {string} */ line) => console.error(`${name}: ${line}`)
      const engine = await loadEngine(page, { model, isFile, row, onProgress })
      for (const prompt of prompts) {
        const record = await runPrompt(engine, prompt)
        records.push({ model, ...record })
        console.log(describeRecord(record))
      }
      await engine.evaluate((engine) => engine.dispose())
    } catch (error) {
      numFailed++
      console.error(`error: ${name}: ${reasonOf(error)}`)
    } finally {
      await close()
    }
  }
  if (out !== undefined) writeFileSync(out, `${JSON.stringify(records, null, 2)}\n`)
  return numFailed === 0 ? 0 : 1
}
