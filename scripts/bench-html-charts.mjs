// @ts-check

// Runs inside the report, where uPlot is a global: one chart a test, drawn again when the theme or the width changes.

/** @typedef {{ id: string, unit: string, systems: { name: string, runs: [number, number][] }[] }} Chart */

const { uPlot } = /** @type {any} */ (globalThis)
/** @type {Chart[]} */
const charts = JSON.parse(document.getElementById('results')?.textContent ?? '[]')
const height = 200

/** @param {string} name of a custom property that holds a colour */
function colour(name) {
  const probe = document.createElement('i')
  probe.style.color = `var(${name})`
  document.body.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}

/** @param {Chart} chart */
function draw({ id, unit, systems }) {
  const place = document.querySelector(`[data-chart="${CSS.escape(id)}"]`)
  if (!(place instanceof HTMLElement)) return
  place.replaceChildren()
  const rounds = [...new Set(systems.flatMap(({ runs }) => runs.map(([round]) => round)))].sort(
    (a, b) => a - b,
  )
  const rows = systems.map(({ runs }) =>
    rounds.map((wanted) => runs.find(([round]) => round === wanted)?.[1] ?? null),
  )
  const axis = {
    stroke: colour('--soft'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
    font: '12px system-ui, sans-serif',
  }
  const options = {
    width: place.clientWidth,
    height,
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: false, range: [(rounds[0] ?? 1) - 0.25, (rounds.at(-1) ?? 1) + 0.25] },
      y: {
        range: (/** @type {unknown} */ _, /** @type {number} */ _min, /** @type {number} */ max) => [
          0,
          max * 1.1,
        ],
      },
    },
    axes: [
      {
        ...axis,
        splits: () => rounds,
        values: (/** @type {unknown} */ _, /** @type {number[]} */ at) => at.map((n) => `${n}`),
      },
      { ...axis, size: 56, label: unit, labelFont: axis.font, labelSize: 18 },
    ],
    series: [
      {},
      ...systems.map((_, index) => ({
        stroke: colour(`--line-${index % 8}`),
        width: 2,
        dash: index >= 8 ? [6, 4] : undefined,
        points: { show: true, size: 7, fill: colour(`--line-${index % 8}`) },
      })),
    ],
  }
  new uPlot(options, [rounds, ...rows], place)
}

const drawAll = () => charts.forEach(draw)
drawAll()
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll)
let drawnWidth = innerWidth
addEventListener('resize', () => {
  if (innerWidth === drawnWidth) return
  drawnWidth = innerWidth
  drawAll()
})
