// @ts-check
import { schemaVersion } from '../e2e/bench/schema.mjs'
import { parseTests } from '../e2e/bench/tests.mjs'

/** What a results file must not get to run. */
export const hostile = '</title></script><script>alert(1)</script><img src=x onerror="alert(2)">'

const summary = (/** @type {number} */ value) => ({ min: value * 0.9, median: value, max: value * 1.1 })

/** @param {number} value */
const result = (value) => ({
  runs: [0.9, 1, 1.1].map((factor, index) => ({
    round: index + 1,
    value: value * factor,
    promptTokens: 16,
    answerTokens: 64,
  })),
  summary: summary(value),
})

const agreement = {
  numSteps: 240,
  numSkipped: 0,
  numAgreeing: 236,
  numDecided: 231,
  numDecidedAgreeing: 230,
  meanKlDivergence: 1.2e-4,
  maxKlDivergence: 4e-3,
}

/** @type {import('../e2e/bench/schema.mjs').BenchResults} a row of each kind and a figure of each kind, for tests of the report */
export const sampleResults = {
  schemaVersion,
  command: `npm run bench -- --out ${hostile}`,
  startedAt: '2026-11-22T10:00:00.000Z',
  durationSeconds: 500,
  machine: {
    name: hostile,
    platform: 'linux x64',
    cpu: 'A processor',
    numCores: 2,
    memoryBytes: 16e9,
    loadAverage: [0.4, 2.1],
    noise: { loopMs: [100, 110, 105], spread: 0.095 },
  },
  browser: {
    version: '156.0',
    userAgent: 'Mozilla/5.0',
    args: ['--headless'],
    headed: false,
    adapter: { name: 'google swiftshader', isSoftware: true, features: ['subgroups'] },
  },
  versions: { brasa: '0.1.0', node: '20.20.0' },
  model: {
    id: hostile,
    file: hostile,
    bytes: 98e6,
    sha256: 'b179',
    weightBytesPerToken: 97e6,
    embeddingBytesApart: 0,
  },
  numRounds: 3,
  baseline: 'wllama-2',
  otherBaselines: ['llama.cpp'],
  notes: [`From round 2 on there is no limit of ${hostile}.`],
  tests: parseTests('pp128,tg64,ctx100,ctx2000,busy,load'),
  systems: [
    {
      id: 'brasa-webgpu',
      name: 'Brasa WebGPU',
      device: 'google swiftshader',
      status: 'ok',
      notes: [],
      limit: 'gpu-97mb',
      tests: {
        pp128: { ...result(25), ratio: { ...summary(0.7), perRound: [0.63, 0.7, 0.77] } },
        tg64: {
          ...result(14),
          ratio: { ...summary(0.65), perRound: [0.6, 0.65, 0.7] },
          otherRatios: { 'llama.cpp': { ...summary(0.23), perRound: [0.22, 0.23, 0.25] } },
          shareOfLimit: summary(0.42),
        },
        ctx100: result(13),
        ctx2000: result(9.5),
        busy: result(0.61),
      },
      contextCost: { from: 'ctx100', to: 'ctx2000', ...summary(1.37), perRound: [1.3, 1.37, 1.4] },
      agreement,
      perToken: {
        dispatches: 154,
        submits: 1,
        buffersCreated: 0,
        bindGroupsCreated: 0,
        bytesWritten: 0,
        bytesRead: 4,
      },
      load: {
        cold: {
          totalMs: 4300,
          firstTokenMs: 300,
          phasesMs: { download: 900, verify: 500, upload: 1600, compile: 1000 },
        },
        warm: [{ totalMs: 3100, firstTokenMs: 280, phasesMs: { upload: 1600, compile: 1000 } }],
      },
      memory: { gpuBytes: 140e6, jsHeapBytes: 9e6, processBytes: 600e6 },
    },
    {
      id: 'wllama-2',
      name: 'wllama 2 threads',
      device: 'CPU, 2 threads',
      status: 'ok',
      notes: ['It was led word by word.'],
      limit: 'cpu-2-97mb',
      tests: { pp128: result(36), tg64: { ...result(21.5), shareOfLimit: summary(0.11) }, load: result(900) },
      agreement: { ...agreement, numSkipped: 3, numSteps: 237 },
    },
    {
      id: 'llama.cpp',
      name: 'llama.cpp native',
      device: 'CPU, 2 threads, native',
      status: 'ok',
      notes: [],
      tests: { tg64: { ...result(61), ratio: { ...summary(2.8), perRound: [2.7, 2.8, 3] } } },
    },
    {
      id: 'fake',
      name: 'Nonsense',
      status: 'wrong-output',
      reason: hostile,
      notes: [hostile],
      tests: { tg64: { ...result(200), ratio: { ...summary(9.3), perRound: [9, 9.3, 10] } } },
      agreement: { ...agreement, numAgreeing: 0, numDecidedAgreeing: 0, meanKlDivergence: 9 },
    },
    { id: 'a', name: 'Crasher', status: 'crashed', reason: 'Its page crashed.', notes: [], tests: {} },
    {
      id: 'b',
      name: 'Sleeper',
      status: 'hung',
      reason: 'Loading was not done after 300 s.',
      notes: [],
      tests: {},
    },
    {
      id: 'c',
      name: 'Far away',
      status: 'unavailable',
      reason: 'Its hub is out of reach.',
      notes: [],
      tests: {},
    },
    {
      id: 'd',
      name: 'Elsewhere',
      status: 'ran-elsewhere',
      reason: 'It ran on the CPU.',
      notes: [],
      tests: {},
    },
    { id: 'e', name: hostile, status: 'failed', reason: 'It failed.', notes: [], tests: {} },
  ],
  limits: [
    {
      id: 'gpu-97mb',
      name: 'a kernel that reads',
      device: 'gpu',
      bytes: 97e6,
      runs: [{ round: 1, bytesPerSecond: 3.2e9 }],
      bytesPerSecond: summary(3.2e9),
    },
    {
      id: 'cpu-2-97mb',
      name: hostile,
      device: 'cpu',
      threads: 2,
      bytes: 97e6,
      runs: [{ round: 1, bytesPerSecond: 19e9 }],
      bytesPerSecond: summary(19e9),
    },
  ],
}
