// @ts-check
import {
  contextCostOf,
  formatOf,
  megabytes,
  memoryNames,
  partialWords,
  percent,
  rangeOf,
  statusLabels,
  unitOf,
} from './bench-table.mjs'

/**
 * @typedef {import('../e2e/bench/schema.mjs').BenchResults} BenchResults
 * @typedef {import('../e2e/bench/schema.mjs').SystemResult} SystemResult
 * @typedef {import('../e2e/bench/schema.mjs').BenchTest} BenchTest
 * @typedef {import('../e2e/bench/schema.mjs').Summary} Summary
 * @typedef {{ markup: string }} Markup
 */

/** @type {Record<string, string>} */
const entities = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/**
 * Markup with values put in: a string is text, whatever is in it; only what this function made stays markup.
 * @param {TemplateStringsArray} parts
 * @param {...(string | number | Markup | readonly Markup[])} values
 * @returns {Markup}
 */
export function html(parts, ...values) {
  const texts = values.map((value) => {
    if (Array.isArray(value)) return value.map(({ markup }) => markup).join('')
    if (typeof value === 'object') return /** @type {Markup} */ (value).markup
    return String(value).replace(/[&<>"']/g, (character) => entities[character] ?? '')
  })
  return { markup: String.raw({ raw: parts }, ...texts) }
}

const nothing = html``

/**
 * @param {string} title
 * @param {string} words below it
 * @param {Markup | readonly Markup[]} content
 */
const section = (title, words, content) =>
  html`<section><h2>${title}</h2><p class="soft">${words}</p>${content}</section>`

/**
 * @param {string} caption
 * @param {readonly string[]} heads
 * @param {readonly (readonly (string | Markup)[])[]} rows the first cell of each names it
 */
function table(caption, heads, rows) {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table>
    <caption class="hidden">${caption}</caption>
    <thead><tr>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead>
    <tbody>${rows.map(
      ([first = '', ...cells]) =>
        html`<tr><th scope="row">${first}</th>${cells.map((cell) => html`<td${typeof cell === 'string' && cell.length > 40 ? html` class="words"` : nothing}>${cell}</td>`)}</tr>`,
    )}</tbody>
  </table></div>`
}

/** @param {SystemResult} system */
const badge = ({ status }) =>
  status === 'ok'
    ? nothing
    : html` <span class="badge ${status}">${statusLabels[status].toLowerCase().replace('cpu', 'CPU')}</span>`

/** @param {SystemResult} system */
const nameOf = (system) => html`${system.name}${badge(system)}`

const times = (/** @type {number} */ ratio) => `${ratio.toFixed(2)} ×`

/** @param {BenchResults} results */
export function flagsSection({ systems, notes = [], isPartial }) {
  const flagged = systems.filter(({ status }) => status !== 'ok')
  const ofTheRun = [...(isPartial ? [partialWords] : []), ...notes]
  if (flagged.length + ofTheRun.length === 0) return nothing
  return section(
    'What went wrong',
    'Rows that are named here have no figures, or figures that do not count.',
    html`<ul class="flags">${flagged.map(
      (system) => html`<li><strong>${system.name}</strong>${badge(system)}<br />${system.reason ?? ''}</li>`,
    )}${ofTheRun.map((sentence) => html`<li>${sentence}</li>`)}</ul>`,
  )
}

/** @param {BenchResults} results */
export function speedsSection({ tests, systems, numRounds }) {
  const heads = ['System', ...tests.map((test) => `${test.id}, ${unitOf(test)}`), 'Same token']
  const rows = systems.map((system) => [
    nameOf(system),
    ...tests.map((test) => {
      const summary = system.tests[test.id]?.summary
      if (summary === undefined) return '–'
      const format = formatOf(test)
      return html`${format(summary.median)}<br /><small>${format(summary.min)}–${format(summary.max)}</small>`
    }),
    system.agreement === undefined ? '–' : percent(system.agreement.numAgreeing / system.agreement.numSteps),
  ])
  return section(
    'Speed',
    `Median of ${numRounds} rounds, and below it the smallest and the largest. Of speeds more is better, of seconds less.`,
    table('Speed of each system in each test', heads, rows),
  )
}

/** @param {BenchResults} results */
export const ratiosSections = (results) =>
  [results.baseline, ...(results.otherBaselines ?? [])].map((baseline) => ratiosSection(results, baseline))

/**
 * @param {BenchResults} results
 * @param {string | null} baseline
 */
function ratiosSection({ tests, systems, baseline: first }, baseline) {
  const name = systems.find(({ id }) => id === baseline)?.name
  if (name === undefined) return nothing
  const charts = tests.flatMap((test) => {
    const rows = systems.flatMap((system) => {
      const result = system.tests[test.id]
      const ratio =
        system.id === baseline
          ? result && { min: 1, median: 1, max: 1 }
          : baseline === first
            ? result?.ratio
            : result?.otherRatios?.[baseline ?? '']
      return ratio === undefined ? [] : [{ system, ratio }]
    })
    if (rows.length < 2) return []
    const lowest = Math.min(0.8, ...rows.map(({ ratio }) => ratio.min)) / 1.1
    const highest = Math.max(1.25, ...rows.map(({ ratio }) => ratio.max)) * 1.1
    const place = (/** @type {number} */ ratio) =>
      `${((100 * Math.log(ratio / lowest)) / Math.log(highest / lowest)).toFixed(2)}%`
    return [
      html`<h3>${test.name}</h3><ul class="ratios" style="--one: ${place(1)}">${rows.map(
        ({ system, ratio }) => html`<li>
        <span class="who">${nameOf(system)}</span>
        <span class="track" aria-hidden="true" style="--min: ${place(ratio.min)}; --mid: ${place(ratio.median)}; --max: ${place(ratio.max)}"><i></i><b></b></span>
        <span class="figure">${
          system.id === baseline
            ? '1 ×'
            : html`${times(ratio.median)} <small>${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)}</small>`
        }</span>
      </li>`,
      )}</ul>`,
    ]
  })
  return section(
    `Ratios to ${name}`,
    `How many times as fast as ${name}: taken within each round, then the median (dot), smallest and largest (line). Right of the upright line is faster. Each scale is logarithmic.`,
    charts,
  )
}

/** @param {BenchResults} results */
export function roundsSection({ tests, systems }) {
  const measured = tests.filter(({ id }) => systems.some(({ tests }) => tests[id] !== undefined))
  if (measured.length === 0) return nothing
  const legend = systems.flatMap((system, index) =>
    Object.keys(system.tests).length === 0
      ? []
      : [html`<li><i style="background: var(--line-${index % 8})"></i>${nameOf(system)}</li>`],
  )
  const charts = measured.map((test) => {
    const rows = systems.flatMap((system) => {
      const runs = system.tests[test.id]?.runs ?? []
      return runs.length === 0
        ? []
        : [[system.name, runs.map(({ value }) => formatOf(test)(value)).join(' · ')]]
    })
    return html`<h3>${test.name}</h3><div class="chart" data-chart="${test.id}" aria-hidden="true"></div>
      <details><summary>The figures of each round</summary>${table(`${test.name}: each round`, ['System', unitOf(test)], rows)}</details>`
  })
  return section(
    'Round by round',
    'What moves all lines alike was the machine, not a system.',
    html`<ul class="legend">${legend}</ul>${charts}`,
  )
}

/** @param {BenchResults} results */
export function limitsSection({ tests, systems, limits }) {
  const rows = systems.flatMap((system) =>
    tests.flatMap((test) => {
      const share = system.tests[test.id]?.shareOfLimit
      const limit = limits.find(({ id }) => id === system.limit)
      if (share === undefined || limit === undefined) return []
      const width = `${Math.min(100, 100 * share.median).toFixed(1)}%`
      const gigabytes = (/** @type {number} */ value) => (value / 1e9).toFixed(1)
      return [
        html`<li><span class="who">${nameOf(system)}<small>${test.id}, of ${limit.name} at ${rangeOf(limit.bytesPerSecond, gigabytes)} GB/s</small></span>
          <span class="share" aria-hidden="true"><i style="width: ${width}"></i></span>
          <span class="figure">${percent(share.median)} <small>${percent(share.min)}–${percent(share.max)}</small></span></li>`,
      ]
    }),
  )
  if (rows.length === 0) return nothing
  return section(
    'How near the limit',
    'Decoding reads all weights for each token. The bar is the share of what the same device reads in the same round when it does nothing else.',
    html`<ul class="ratios shares">${rows}</ul>`,
  )
}

/** @param {BenchResults} results */
export function agreementSection({ systems }) {
  const rows = systems.map((system) => {
    const { agreement } = system
    if (agreement === undefined) return [nameOf(system), 'not compared', '–', '–', '–']
    const { numSteps, numSkipped, numAgreeing, numDecided, numDecidedAgreeing } = agreement
    return [
      nameOf(system),
      html`${numAgreeing} of ${numSteps}${numSkipped > 0 ? html`<br /><small>${numSkipped} left out</small>` : nothing}`,
      `${numDecidedAgreeing} of ${numDecided}`,
      agreement.meanKlDivergence.toExponential(1),
      agreement.maxKlDivergence.toExponential(1),
    ]
  })
  const heads = ['System', 'Same likeliest token', 'Where it is no tie', 'Mean KL, nats', 'Largest KL']
  return section(
    'Whether the answers are right',
    'Against a forward pass of the same file in float64, always after the reference’s own tokens. KL is a lower bound.',
    table('Agreement with the float64 reference', heads, rows),
  )
}

/** @param {BenchResults} results */
export function workSection({ systems }) {
  const rows = systems.flatMap((system) => {
    const { perToken } = system
    if (perToken === undefined) return []
    const { dispatches, submits, buffersCreated, bindGroupsCreated, bytesWritten, bytesRead } = perToken
    const counts = [dispatches, submits, buffersCreated, bindGroupsCreated, bytesWritten, bytesRead]
    return [[nameOf(system), ...counts.map((count) => String(Math.round(count * 100) / 100))]]
  })
  if (rows.length === 0) return nothing
  const heads = [
    'System',
    'Dispatches',
    'Submits',
    'Buffers made',
    'Bind groups made',
    'Bytes in',
    'Bytes out',
  ]
  return section(
    'What the GPU is asked for, a token',
    'WebGPU calls of steady decoding, counted in a browser in which nothing is timed.',
    table('WebGPU calls a token', heads, rows),
  )
}

/** @param {BenchResults} results */
export function loadSection({ systems }) {
  const heads = ['System', 'Load', 'Seconds', 'Of which']
  const rows = systems.flatMap((system) => {
    if (system.load === undefined) return []
    const { cold, warm } = system.load
    const last = warm.at(-1)
    const times = [
      { words: 'first, from a server here', time: cold },
      ...(last ? [{ words: 'from storage', time: last }] : []),
    ]
    return times.map(({ words, time }) => {
      const parts = Object.entries({ ...time.phasesMs, 'first token': time.firstTokenMs })
      const split = parts.map(([phase, ms]) => `${phase} ${(ms / 1000).toFixed(2)}`).join(' · ')
      return [nameOf(system), words, (time.totalMs / 1000).toFixed(2), split]
    })
  })
  if (rows.length === 0) return nothing
  return section('Load', 'Until the first token is there.', table('Load times', heads, rows))
}

/** @param {BenchResults} results */
export function memorySection({ systems }) {
  const names = /** @type {[keyof typeof memoryNames, string][]} */ (Object.entries(memoryNames))
  const used = names.filter(([key]) => systems.some(({ memory }) => memory?.[key] !== undefined))
  if (used.length === 0) return nothing
  const rows = systems.flatMap((system) => {
    const { memory } = system
    if (memory === undefined) return []
    const cells = used.map(([key]) => (memory[key] === undefined ? '–' : megabytes(memory[key])))
    return [[nameOf(system), ...cells]]
  })
  const heads = ['System', ...used.map(([, name]) => `${name.charAt(0).toUpperCase()}${name.slice(1)}`)]
  return section('Memory', 'While it was ready to answer.', table('Memory', heads, rows))
}

/** @param {BenchResults} results */
export function factsSection(results) {
  const { machine, browser, versions, model, systems, command, startedAt, durationSeconds, numRounds } =
    results
  const { noise, loadAverage } = machine
  const facts = [
    ['Made', `${startedAt.replace('T', ' ').slice(0, 16)} UTC, in ${Math.ceil(durationSeconds / 60)} min`],
    [
      'Machine',
      [
        machine.name,
        machine.cpu,
        `${machine.numCores} cores`,
        machine.memoryBytes === undefined ? undefined : megabytes(machine.memoryBytes),
        machine.platform,
      ]
        .filter((part) => part !== undefined)
        .join(', '),
    ],
    [
      'Noise',
      [
        noise && `one and the same CPU loop varied by ${percent(noise.spread)}`,
        loadAverage && `load average ${loadAverage.map((load) => load.toFixed(1)).join(' before, ')} after`,
      ]
        .filter((part) => part !== undefined)
        .join('; ') || 'not known',
    ],
    ['Browser', `${browser.userAgent}${browser.headed ? '' : ', headless'}`],
    ['Flags', browser.args.join(' ')],
    [
      'WebGPU',
      browser.adapter === null
        ? 'no adapter'
        : `${browser.adapter.name}${browser.adapter.isSoftware ? ', in software' : ''}; ${browser.adapter.features.join(', ')}`,
    ],
    [
      'Model',
      [
        `${model.id}: ${model.file}, ${model.bytes} bytes`,
        model.sha256 && `SHA-256 ${model.sha256}`,
        model.weightBytesPerToken && `a token reads ${megabytes(model.weightBytesPerToken)}`,
      ]
        .filter((part) => part !== undefined)
        .join('; '),
    ],
    ...systems.flatMap(({ name, device, detail, file, contextCost, notes }) => {
      const other = file && !file.isSameFile ? `another file, ${file.name}` : undefined
      const cost = contextCost && contextCostOf(contextCost)
      const parts = [device, detail, other, cost, ...notes].filter((part) => part !== undefined)
      return parts.length === 0 ? [] : [[name, parts.join('; ')]]
    }),
    [
      'Versions',
      Object.entries(versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', '),
    ],
  ]
  const method = `Each of ${numRounds} rounds ran each test once on each system, one test after the other; one round before them was discarded. By the page’s clock, greedy, to a fixed number of tokens, without a prompt cache.`
  return section(
    'How it was made',
    method,
    html`<dl>${facts.map(([name = '', fact = '']) => html`<dt>${name}</dt><dd>${fact}</dd>`)}</dl><pre tabindex="0">${command}</pre>`,
  )
}
