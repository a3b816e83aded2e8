// @ts-check
import { parseArgs } from 'node:util'
import { compareResults } from '../e2e/bench/compare.mjs'
import { readResults } from '../e2e/bench/schema.mjs'
import { reasonOf, runAsScript, ScriptError } from './command-line.mjs'

const usage = `Usage: npm run bench:compare -- A.json B.json [--threshold 20]
  Prints how much faster each system became from A to B. Exits 1 where one became slower by more than the threshold, in
  percent, or is no longer measured.`

await runAsScript(import.meta.url, (args) => {
  const { files, threshold } = readOptions(args)
  const [before, after] = files.map(readResults)
  if (before === undefined || after === undefined || files.length !== 2) throw new ScriptError(usage)
  const { baseline, changes } = compareResults(before, after, threshold)
  if (changes.length === 0) throw new ScriptError(`${files[0]} has no figure that could be compared.`)
  const name = before.systems.find(({ id }) => id === baseline)?.name ?? baseline
  console.log(name === null ? 'Figures as they are: the files share no baseline.' : `Ratios to ${name}.`)
  const width = Math.max(...changes.map(({ system, test }) => `${system}, ${test}`.length))
  for (const { system, test, before, after, speedup, isRegression } of changes) {
    const figures = `${before.toPrecision(3)} -> ${after?.toPrecision(3) ?? '–'}`
    const change = speedup === undefined ? 'no longer measured' : `x ${speedup.toFixed(2)}`
    const mark = isRegression ? '  SLOWER' : ''
    console.log(`${`${system}, ${test}`.padEnd(width)}  ${figures.padEnd(20)} ${change}${mark}`)
  }
  const numRegressions = changes.filter(({ isRegression }) => isRegression).length
  if (numRegressions > 0)
    throw new ScriptError(`${numRegressions} slower than ${files[0]} by more than ${threshold * 100}%.`)
})

/** @param {string[]} args */
function readOptions(args) {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { threshold: { type: 'string', default: '20' } },
    })
    const percent = Number(values.threshold)
    if (!(percent >= 0 && percent <= 100)) {
      throw new ScriptError(`The threshold is a percentage, not "${values.threshold}".`)
    }
    return { files: positionals, threshold: percent / 100 }
  } catch (error) {
    throw new ScriptError(`${reasonOf(error)}\n${usage}`)
  }
}
