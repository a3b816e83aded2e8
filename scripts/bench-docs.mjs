// @ts-check
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readResults } from '../e2e/bench/schema.mjs'
import { factsOf, tableOf } from './bench-table.mjs'
import { root, runAsScript, ScriptError } from './command-line.mjs'

const start = '<!-- results: made by npm run bench:docs -->'
const end = '<!-- end of results -->'

await runAsScript(import.meta.url, (paths) => {
  if (paths.length === 0) throw new ScriptError('Usage: npm run bench:docs -- RESULTS.json [MORE.json …]')
  const docs = join(root, 'docs', 'benchmarks.md')
  writeFileSync(docs, replaceResults(readFileSync(docs, 'utf8'), paths.map(readResults)))
  // Tables in columns, as `npm run lint` wants them.
  const biome = join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome')
  spawnSync(process.execPath, [biome, 'format', '--write', docs], { cwd: root, stdio: 'ignore' })
  console.log(`${docs} has the results of ${paths.join(', ')}`)
})

/**
 * @param {string} text of a page with the two marks
 * @param {readonly import('../e2e/bench/schema.mjs').BenchResults[]} runs one table each
 */
export function replaceResults(text, runs) {
  const from = text.indexOf(start)
  const to = text.indexOf(end)
  if (from < 0 || to < from) throw new ScriptError(`The page has no "${start}" with "${end}" after it.`)
  return `${text.slice(0, from)}${start}\n\n${runs.map(markdownOf).join('\n\n')}\n\n${text.slice(to)}`
}

/** @param {import('../e2e/bench/schema.mjs').BenchResults} results */
function markdownOf(results) {
  const { heads, rows } = tableOf(results)
  const row = (/** @type {readonly string[]} */ cells) => `| ${cells.join(' | ')} |`
  return [
    `Made on ${results.startedAt.slice(0, 10)} in ${Math.ceil(results.durationSeconds / 60)} minutes by`,
    `\`\`\`sh\n${results.command}\n\`\`\``,
    [row(heads), row(heads.map(() => '---')), ...rows.map(row)].join('\n'),
    factsOf(results)
      .map((fact) => `- ${fact}`)
      .join('\n'),
    `Versions: ${Object.entries(results.versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}.`,
  ].join('\n\n')
}
