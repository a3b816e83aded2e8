// @ts-check
import { expect, test } from 'vitest'
import { schemaVersion } from '../e2e/bench/schema.mjs'
import { parseTests } from '../e2e/bench/tests.mjs'
import { replaceResults } from './bench-docs.mjs'
import { progressLine, secondsLeft } from './bench-progress.mjs'
import { describeResults } from './bench-table.mjs'

const summary = (/** @type {number} */ value) => ({ min: value - 1, median: value, max: value + 1 })

/** @type {import('../e2e/bench/schema.mjs').BenchResults} */
const results = {
  schemaVersion,
  command: 'npm run bench -- --repeats 2',
  startedAt: '2026-11-22T20:00:00.000Z',
  durationSeconds: 300,
  machine: {
    name: 'desk',
    platform: 'linux x64',
    cpu: 'A CPU',
    numCores: 2,
    memoryBytes: 8e9,
    loadAverage: [0.1, 1.2],
    noise: { loopMs: [100, 110], spread: 0.095 },
  },
  browser: { version: '156', userAgent: 'Chrome', args: [], headed: false, adapter: null },
  versions: { brasa: '0.1.0' },
  model: {
    id: 'm',
    file: 'm.gguf',
    bytes: 98e6,
    sha256: '',
    weightBytesPerToken: 96e6,
    embeddingBytesApart: 0,
  },
  numRounds: 2,
  baseline: 'wllama-2',
  otherBaselines: ['llama.cpp'],
  tests: parseTests('tg64,ttft,busy'),
  systems: [
    {
      id: 'brasa-webgpu',
      name: 'Ours',
      status: 'wrong-output',
      reason: 'These are not the model’s answers.',
      notes: [],
      tests: {
        tg64: {
          runs: [],
          summary: summary(10),
          ratio: { ...summary(2), perRound: [1, 3] },
          otherRatios: { 'llama.cpp': { ...summary(3), perRound: [2, 4] } },
          shareOfLimit: { min: 0.2, median: 0.25, max: 0.3 },
        },
        busy: { runs: [], summary: { min: 0.5, median: 0.6, max: 0.7 } },
      },
      contextCost: { from: 'ctx100', to: 'ctx2000', ...summary(1.5), perRound: [1.5] },
      agreement: {
        numSteps: 200,
        numSkipped: 0,
        numAgreeing: 20,
        numDecided: 196,
        numDecidedAgreeing: 20,
        meanKlDivergence: 3,
        maxKlDivergence: 9,
      },
    },
    {
      id: 'wllama-2',
      name: 'Theirs',
      status: 'ok',
      notes: [],
      tests: { tg64: { runs: [], summary: summary(5) }, ttft: { runs: [], summary: summary(1500) } },
    },
    {
      id: 'webllm',
      name: 'Absent',
      status: 'unavailable',
      reason: 'The hub is out of reach.',
      notes: [],
      tests: {},
    },
  ],
  limits: [],
}

test('a row that must not be believed says so, beside its figures, ratio, limit and agreement', () => {
  const lines = describeResults(results).split('\n')
  const row = (/** @type {string} */ name) => lines.find((line) => line.startsWith(name))
  expect(row('Ours')).toMatch(
    /10\.0 \(9\.0–11\.0\) ×2\.00 +– +60 \(50–70\) +25% +10% of 200 +3\.0e\+0 .*WRONG OUTPUT$/,
  )
  expect(row('Theirs')).toMatch(/5\.0 \(4\.0–6\.0\) ×1 +1\.50 \(1\.50–1\.50\) ×1 +–/)
  expect(row('Absent')).toMatch(/out of reach$/)
  expect(lines).toContain('Ours: These are not the model’s answers.')
  expect(lines).toContain('Absent: The hub is out of reach.')
  expect(lines).toContain(
    'Ours: a token of ctx2000 costs 1.50 (0.50–2.50) times one of ctx100, within a round.',
  )
  expect(lines).toContain('Ours, times as fast as llama.cpp: tg64 ×3.00 (2.00–4.00).')
})

test('the docs get the table, the command that made it, and nothing else changes', () => {
  const page = 'before\n<!-- results: made by npm run bench:docs -->\nold\n<!-- end of results -->\nafter\n'
  const replaced = replaceResults(page, [results])
  expect(replaced).toMatch(/^before\n<!-- results/)
  expect(replaced).toMatch(/<!-- end of results -->\nafter\n$/)
  expect(replaced).not.toContain('old')
  expect(replaced).toContain('npm run bench -- --repeats 2')
  expect(replaced).toMatch(/\| Ours \| 10\.0 .* WRONG OUTPUT \|/)
  expect(replaceResults(replaced, [results])).toBe(replaced)
  expect(replaceResults(page, [results, results]).split(results.command)).toHaveLength(3)
  expect(() => replaceResults('no marks', [results])).toThrow('results')
})

test('time left is guessed from what repeated itself', () => {
  expect(secondsLeft(new Map([['load', [9000]]]), 10)).toBeUndefined()
  expect(
    secondsLeft(
      new Map([
        ['load', [9000]],
        ['tg', [900, 1000, 2000]],
        ['pp', [500, 500]],
      ]),
      10,
    ),
  ).toBeCloseTo(10)
  expect(progressLine(5, 10, 61, 'tg64')).toBe('[############............] 5 of 10, about 2 min left: tg64')
})
