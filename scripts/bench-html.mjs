// @ts-check
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { readResults } from '../e2e/bench/schema.mjs'
import {
  agreementSection,
  factsSection,
  flagsSection,
  html,
  limitsSection,
  loadSection,
  memorySection,
  ratiosSections,
  roundsSection,
  speedsSection,
  workSection,
} from './bench-html-sections.mjs'
import { formatOf, megabytes, unitOf } from './bench-table.mjs'
import { runAsScript, ScriptError } from './command-line.mjs'

/** @typedef {import('../e2e/bench/schema.mjs').BenchResults} BenchResults */

await runAsScript(import.meta.url, ([from, to, ...rest]) => {
  if (from === undefined || to === undefined || rest.length > 0)
    throw new ScriptError('Usage: npm run bench:html -- RESULTS.json REPORT.html')
  writeHtmlReport(readResults(from), to)
})

/**
 * Writes one file that opens from a disk: styles, charts and data are inside, and it asks no network for anything.
 * @param {BenchResults} results
 * @param {string} path
 */
export function writeHtmlReport(results, path) {
  mkdirSync(dirname(resolve(path)), { recursive: true })
  writeFileSync(path, htmlOf(results))
  console.log(`The report is in ${path}`)
}

/**
 * @param {BenchResults} results
 * @returns {string}
 */
export function htmlOf(results) {
  const { model, machine, browser, startedAt } = results
  const title = `Benchmark of ${model.file}`
  const body = [
    html`<header>
      <p class="brand">Brasa</p>
      <h1>${title}</h1>
      <p class="soft">${startedAt.slice(0, 10)} · ${machine.cpu ?? machine.platform}, ${machine.numCores} cores · Chromium ${browser.version}
        · ${browser.adapter?.name ?? 'no WebGPU adapter'} · ${megabytes(model.bytes)} of weights</p>
    </header>`,
    flagsSection(results),
    speedsSection(results),
    ...ratiosSections(results),
    roundsSection(results),
    limitsSection(results),
    agreementSection(results),
    workSection(results),
    loadSection(results),
    memorySection(results),
    factsSection(results),
  ]
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<meta name="color-scheme" content="light dark" />
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:" />
${html`<title>${title} · Brasa</title>`.markup}
<link rel="icon" href="data:," />
<style>
${source('../node_modules/uplot/dist/uPlot.min.css')}
${source('../packages/demo/src/theme/tokens.css')}
${source('bench-html.css')}
</style>
</head>
<body>
<main>
${body.map(({ markup }) => markup).join('\n')}
</main>
<script type="application/json" id="results">${jsonOf(chartsOf(results))}</script>
<script>
/*! uPlot (https://github.com/leeoniya/uPlot)

${source('../node_modules/uplot/LICENSE')}*/
${source('../node_modules/uplot/dist/uPlot.iife.min.js')}
</script>
<script type="module">
${source('bench-html-charts.mjs')}
</script>
</body>
</html>
`
}

/** @param {string} path from here */
function source(path) {
  return readFileSync(new URL(path, import.meta.url), 'utf8')
}

/**
 * Inside a script element only `<` could end it.
 * @param {unknown} value
 */
function jsonOf(value) {
  return JSON.stringify(value).replaceAll('<', '\\u003c')
}

/**
 * What the charts draw: a line a system, a point a round.
 * @param {BenchResults} results
 */
function chartsOf({ tests, systems }) {
  return tests.map((test) => ({
    id: test.id,
    unit: unitOf(test),
    systems: systems.map(({ name, tests }) => ({
      name,
      runs: (tests[test.id]?.runs ?? []).map(({ round, value }) => [round, Number(formatOf(test)(value))]),
    })),
  }))
}
