// @ts-check

/**
 * @typedef {import('../e2e/bench/schema.mjs').BenchResults} BenchResults
 * @typedef {import('../e2e/bench/schema.mjs').BenchTest} BenchTest
 * @typedef {import('../e2e/bench/schema.mjs').SystemResult} SystemResult
 */

/** @type {Record<SystemResult['status'], string>} */
export const statusLabels = {
  ok: '',
  'wrong-output': 'WRONG OUTPUT',
  'ran-elsewhere': 'ran on the CPU',
  failed: 'FAILED',
  crashed: 'CRASHED',
  hung: 'HUNG',
  unavailable: 'out of reach',
}

export const memoryNames = {
  gpuBytes: 'GPU buffers',
  weightBytes: 'weights',
  kvCacheBytes: 'keys and values',
  otherBytes: 'other',
  jsHeapBytes: 'JS heap',
  wasmHeapBytes: 'WASM heap',
  processBytes: 'all its processes',
}

/**
 * One row a system, one column a figure.
 * @param {BenchResults} results
 * @returns {{ heads: string[], rows: string[][] }}
 */
export function tableOf(results) {
  const { tests, systems, baseline } = results
  const heads = [
    'system',
    ...tests.map((test) => `${test.id}, ${unitOf(test)}`),
    'of its limit',
    'top-1',
    'KL, nats',
    'work a token',
    'note',
  ]
  const rows = systems.map((system) => [
    system.name,
    ...tests.map((test) => figureOf(system, test, baseline)),
    shareOf(system),
    ...agreementOf(system),
    workOf(system),
    statusLabels[system.status],
  ])
  return { heads, rows }
}

/**
 * The table and what must stand beside it, as text.
 * @param {BenchResults} results
 */
export function describeResults(results) {
  const { heads, rows } = tableOf(results)
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => (row[column] ?? '').length)),
  )
  const line = (/** @type {readonly string[]} */ cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  return [
    line(heads),
    widths.map((width) => '-'.repeat(width)).join('  '),
    ...rows.map(line),
    '',
    ...factsOf(results),
  ].join('\n')
}

/**
 * Sentences that belong beside the table.
 * @param {BenchResults} results
 * @returns {string[]}
 */
export function factsOf(results) {
  const { model, systems, limits, machine, browser, baseline, numRounds, notes = [], isPartial } = results
  const name = systems.find(({ id }) => id === baseline)?.name
  return [
    ...(isPartial ? [partialWords] : []),
    `${model.file}, ${megabytes(model.bytes)}${model.weightBytesPerToken === undefined ? '' : `, of which a token reads ${megabytes(model.weightBytesPerToken)}`}. Median (smallest to largest) of ${numRounds} rounds; load: of 3${name === undefined ? '' : `; × is how many times as fast as ${name}, the median of the ratios within a round`}.`,
    ...systems.flatMap(({ name, status, reason }) => (status === 'ok' ? [] : [`${name}: ${reason}`])),
    ...systems.flatMap(({ name, device, detail, file }) => {
      const parts = [device, detail, file?.isSameFile ? undefined : fileOf(file)].filter(
        (part) => part !== undefined,
      )
      return parts.length === 0 ? [] : [`${name} ran on ${parts.join('; ')}.`]
    }),
    ...systems.flatMap(({ name, contextCost }) =>
      contextCost ? [`${name}: ${contextCostOf(contextCost)}`] : [],
    ),
    ...(results.otherBaselines ?? []).flatMap((id) => ratiosTo(id, results)),
    ...systems.flatMap(({ name, load }) => (load === undefined ? [] : [`${name} loads ${loadOf(load)}.`])),
    ...systems.flatMap(({ name, memory }) => (memory === undefined ? [] : memoryOf(name, memory))),
    ...systems.flatMap(({ name, notes }) => notes.map((note) => `${name}: ${note}`)),
    ...limits.map(
      ({ name, bytesPerSecond }) =>
        `Limit, ${name}: ${rangeOf(bytesPerSecond, (value) => (value / 1e9).toFixed(1))} GB/s.`,
    ),
    ...notes,
    `${machine.cpu ?? machine.platform}, ${machine.numCores} cores; Chromium ${browser.version}; WebGPU adapter ${browser.adapter?.name ?? 'none'}.${noiseOf(machine)}`,
  ]
}

export const partialWords = 'The run did not come to its end: this is what it had measured by then.'

/** @param {BenchResults['machine']} machine */
const noiseOf = ({ noise, loadAverage }) =>
  noise === undefined || loadAverage === undefined
    ? ''
    : ` Noise: one and the same CPU loop varied by ${percent(noise.spread)}; load average ${loadAverage.map((load) => load.toFixed(1)).join(' before and ')} after.`

/** @param {SystemResult['file']} file */
const fileOf = (file) =>
  file && `another file, ${file.name}${file.bytes === undefined ? '' : ` (${megabytes(file.bytes)})`}`

/**
 * @param {SystemResult} system
 * @param {BenchTest} test
 * @param {string | null} baseline
 */
function figureOf({ id, tests }, test, baseline) {
  const result = tests[test.id]
  if (result === undefined) return '–'
  const range = rangeOf(result.summary, formatOf(test))
  if (id === baseline) return `${range} ×1`
  return result.ratio === undefined ? range : `${range} ×${result.ratio.median.toFixed(2)}`
}

/** @param {import('../e2e/bench/schema.mjs').ContextCost} cost */
export function contextCostOf(cost) {
  const words = rangeOf(cost, (value) => value.toFixed(2))
  return `a token of ${cost.to} costs ${words} times one of ${cost.from}, within a round.`
}

/**
 * @param {string} id of a further baseline
 * @param {BenchResults} results
 * @returns {string[]} a sentence for each other system
 */
function ratiosTo(id, { tests, systems }) {
  const measure = systems.find((system) => system.id === id)?.name ?? id
  return systems.flatMap((system) => {
    const ratios = tests.flatMap((test) => {
      const ratio = system.tests[test.id]?.otherRatios?.[id]
      return ratio === undefined ? [] : [`${test.id} ×${rangeOf(ratio, (value) => value.toFixed(2))}`]
    })
    return ratios.length === 0 ? [] : [`${system.name}, times as fast as ${measure}: ${ratios.join(', ')}.`]
  })
}

/** @param {SystemResult} system */
function shareOf({ tests }) {
  const share = Object.values(tests).find(({ shareOfLimit }) => shareOfLimit !== undefined)?.shareOfLimit
  return share === undefined ? '–' : percent(share.median)
}

/** @param {SystemResult} system */
function agreementOf({ agreement }) {
  if (agreement === undefined) return ['–', '–']
  const { numSteps, numAgreeing, meanKlDivergence } = agreement
  return [`${percent(numAgreeing / numSteps)} of ${numSteps}`, meanKlDivergence.toExponential(1)]
}

/** @param {SystemResult} system */
function workOf({ perToken }) {
  if (perToken === undefined) return '–'
  const { dispatches, submits, buffersCreated, bindGroupsCreated, bytesWritten, bytesRead } = perToken
  return `${round(dispatches)} dispatches, ${round(submits)} submits, ${round(buffersCreated)}+${round(bindGroupsCreated)} buffers+groups, ${round(bytesWritten)}/${round(bytesRead)} B in/out`
}

/** @param {NonNullable<SystemResult['load']>} load */
function loadOf({ cold, warm }) {
  const seconds = (/** @type {number} */ ms) => (ms / 1000).toFixed(1)
  const time = (
    /** @type {import('../e2e/bench/schema.mjs').LoadTime} */ { totalMs, firstTokenMs, phasesMs },
  ) => {
    const parts = Object.entries({ ...phasesMs, 'first token': firstTokenMs })
    return `${seconds(totalMs)} s (${parts.map(([phase, ms]) => `${phase} ${seconds(ms)}`).join(', ')})`
  }
  const last = warm.at(-1)
  return `cold in ${time(cold)}${last === undefined ? '' : `, warm in ${time(last)}`}`
}

/**
 * @param {string} name
 * @param {NonNullable<SystemResult['memory']>} memory
 */
function memoryOf(name, memory) {
  const parts = Object.entries(memoryNames).flatMap(([key, label]) => {
    const bytes = memory[/** @type {keyof typeof memoryNames} */ (key)]
    return bytes === undefined ? [] : [`${label} ${megabytes(bytes)}`]
  })
  return parts.length === 0 ? [] : [`${name} holds ${parts.join(', ')}.`]
}

/**
 * @param {import('../e2e/bench/schema.mjs').Summary} summary
 * @param {(value: number) => string} format
 */
export const rangeOf = ({ min, median, max }, format) => `${format(median)} (${format(min)}–${format(max)})`

/** @param {Pick<BenchTest, 'unit'>} test */
export const unitOf = ({ unit }) => ({ ms: 's', 'tok/s': 'tok/s', share: '%' })[unit]

/**
 * What writes a figure in the unit that `unitOf` names.
 * @param {Pick<BenchTest, 'unit'>} test
 */
export const formatOf =
  ({ unit }) =>
  (/** @type {number} */ value) =>
    ({ ms: (value / 1000).toFixed(2), 'tok/s': value.toFixed(1), share: (100 * value).toFixed(0) })[unit]

export const percent = (/** @type {number} */ share) => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)}%`
export const megabytes = (/** @type {number} */ bytes) => `${(bytes / 1e6).toFixed(0)} MB`
const round = (/** @type {number} */ count) => Math.round(count * 100) / 100
